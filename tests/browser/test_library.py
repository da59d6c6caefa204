"""Save a plan as a workflow, find it in the library, start from it, land in the review: in real Chromium
(AD-8).
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from orchestrator.models import Workstream
from tests.browser.test_look import AXE, RULES, WIDTHS, violations
from tests.cast import Cast, Driver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def page(request: Any, browser: Any, live_server: Any, cast: Cast) -> Iterator[Any]:
    Driver(cast).start()
    client = Client()
    client.force_login(cast.initiator)
    context = browser.new_context(java_script_enabled=request.param, base_url=live_server.url)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    context.set_default_timeout(15_000)
    opened = context.new_page()
    opened.has_scripts = request.param
    yield opened
    context.close()


def fits(page: Any) -> None:
    """Accessible and no wider than the screen; without scripts there is nothing that could look."""
    if not page.has_scripts:
        return
    page.evaluate(AXE)
    assert violations(page, {"type": "tag", "values": RULES}) == [], page.url
    for width, scheme in zip(WIDTHS, ("dark", "light", "dark"), strict=True):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (page.url, width)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def test_ad8_from_a_plan_to_the_library_to_the_next_review(page: Any) -> None:
    page.goto("/plans/card-refunds/")
    fits(page)
    page.get_by_role("link", name="Save as a workflow").click()
    page.get_by_label("Name", exact=True).fill("Money back")
    page.get_by_label("What it is for").fill("Ledger and gateway side by side.")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("# Plan: {{name}}").wait_for()
    fits(page)
    page.get_by_role("button", name="Save the workflow").click()
    page.get_by_role("heading", name="Money back").wait_for()
    fits(page)
    page.goto("/library/")
    page.get_by_role("searchbox", name="Words").fill("gateway side")
    page.get_by_role("button", name="Search").click()
    fits(page)
    page.get_by_role("link", name="Start a workstream from Money back").click()
    page.get_by_label("Name", exact=True).fill("Payouts")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Nothing in it blocks approval").wait_for()
    fits(page)
    page.get_by_role("button", name="Submit for review").click()
    page.get_by_role("heading", name="Payouts").wait_for()
    assert "/plans/payouts/v1/" in page.url
    assert Workstream.objects.get(slug="payouts").version.started_from == "money-back"
