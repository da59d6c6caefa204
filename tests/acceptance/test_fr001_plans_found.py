"""FR-001: three hundred workflows are found by title, state and domain; unknown filters are said."""

import pytest

from orchestrator.core.terms import VersionStatus
from tests.cast import Driver
from tests.web.pages import htmx, signed_in, words
from tests.web.rows import workstream

pytestmark = pytest.mark.django_db


def test_fr001_plans_are_found_by_title_state_and_domain(driver: Driver) -> None:
    for number in range(300):
        row = workstream(driver.cast.initiator, driver.now, domain=("search", "billing")[number % 2])
        workflow = row.version.workflow
        workflow.name, workflow.domain = f"Ledger {number:03}", row.domain
        workflow.save()
    driver.submit()
    client = signed_in(driver.cast.reviewer)
    assert "301 plans" in words(client.get("/plans/"))
    assert "Ledger 123" in words(client.get("/plans/?q=ledger+123"))
    assert "1 plan found" in words(client.get("/plans/?q=ledger+123"))
    assert "150 plans found" in words(client.get("/plans/?domain=billing"))
    assert "1 plan found" in words(client.get(f"/plans/?state={VersionStatus.IN_REVIEW}"))
    assert "No plan is like that" in words(client.get("/plans/?q=nothing+of+the+kind"))


def test_fr001_filters_stand_in_links_and_unknown_ones_are_said(driver: Driver) -> None:
    driver.submit()
    client = signed_in(driver.cast.reviewer)
    page = client.get("/plans/?q=card&state=in_review")
    assert "?q=card&amp;state=in_review&amp;sort=" in page.content.decode()
    said = words(client.get("/plans/?state=lost&domain=nowhere&sort=colour"))
    for name in (
        "“lost” is no choice of “State”",
        "“nowhere” is no choice of “Domain”",
        "“colour” is no column to sort by",
    ):
        assert name in said
    assert "1 plan" in said
    part = client.get("/plans/?q=card", **htmx("results"))
    assert "<h1" not in part.content.decode()
    assert "Card refunds" in words(part)
