"""FR-025: refusals on pages are told in the reader's words."""

import pytest
from django.test import Client

from orchestrator.core.errors import InvalidInput, NotAllowed
from orchestrator.core.terms import Role
from orchestrator.web.wording import told, way_out_of
from tests.cast import Cast, Driver, UserFactory
from tests.web.pages import signed_in, words


@pytest.mark.parametrize(
    ("text", "reader", "said"),
    [
        ("anna has signed MP1 already.", "anna", "You have signed MP1 already."),
        ("anna has signed MP1 already.", "omar", "anna has signed MP1 already."),
        ("anna may not sign MP1.", "anna", "You may not sign MP1."),
        (
            "A1 attempt 1 is held by bot-1 (agent of anna).",
            "anna",
            "A1 attempt 1 is held by your agent bot-1.",
        ),
        ("annabel has it.", "anna", "annabel has it."),
        ("It is held since 2026-11-30T03:00:00+00:00.", "", "It is held since 30 Nov 2026, 03:00 UTC."),
        ("Since 2026-11-30 03:00 UTC.", "", "Since 30 Nov 2026, 03:00 UTC."),
        ("It is kept back for 0 to 3600 seconds.", "", "It is kept back for 0 to 1 hour."),
        ("It took 45 seconds.", "", "It took 45 seconds."),
        (
            "The field follow_ups has 70000 characters.",
            "",
            "The field “Follow-up tasks” has 70000 characters.",
        ),
        ("A re-queued end-to-end step.", "anna", "A re-queued end-to-end step."),
    ],
)
def test_fr025_sentences_are_told_to_the_reader(text: str, reader: str, said: str) -> None:
    assert told(text, reader) == said


def test_fr025_who_has_a_missing_role_is_named(cast: Cast) -> None:
    refusal = NotAllowed("carl may not do this: it needs the role approver.", role="approver")
    assert way_out_of(refusal) == "anna has it: ask them, or an administrator for the role."
    for name in ("bea", "cleo", "dora", "emil"):
        UserFactory(username=name, roles=[Role.APPROVER])
    assert "anna, bea, cleo, dora and 1 more have it" in way_out_of(refusal)
    nobody = NotAllowed("No.", role="initiator")
    cast.initiator.groups.clear()
    assert way_out_of(nobody).startswith("Nobody has it yet")
    assert way_out_of(InvalidInput("No.", recovery="Wait 7200 seconds.")) == "Wait 2 hours."


def test_fr025_a_page_tells_a_refusal_to_its_reader(driver: Driver) -> None:
    driver.start()
    address = f"/workstreams/{driver.reload().uuid}/"
    refused = signed_in(driver.cast.contributor).post(f"{address}acts/accept", {})
    assert refused.status_code == 403
    said = words(refused)
    assert "You need the role approver for this." in said
    assert "anna has it" in said


def test_fr025_an_observer_sees_no_forms(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1", "It broke.")
    otto: Client = signed_in(driver.cast.observer)
    base = f"/workstreams/{driver.reload().uuid}/"
    gate = driver.task("MP1").pk
    for address in (
        base,
        f"{base}tasks/A1/",
        f"{base}tasks/C1/",
        f"{base}prehandoff/",
        f"/gates/{gate}/",
        "/plans/submit/",
        "/interventions/",
        "/policies/",
        "/workspace/",
        "/collected/",
        "/library/",
    ):
        body = otto.get(address).content.decode()
        assert body.count('method="post"') == 1, address  # signing out
        assert 'method="post"' in signed_in(driver.cast.contributor).get(base).content.decode()
