"""AS-5, FR-003: suspected duplicates are merged, linked or closed with a rationale before any worker runs."""

import json

import pytest
from django.urls import reverse

from orchestrator.core.terms import Reason
from orchestrator.models import Attempt, HistoryEntry, Workstream
from orchestrator.services.review import decisions
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import signed_in, words

TWIN = PLAN.replace(b"Card refunds", b"Refunds by card")


@pytest.fixture
def pair(driver: Driver) -> tuple[Workstream, Workstream]:
    """The one under review, and the one it is suspected to repeat."""
    other = driver.submit(TWIN).workstream
    return driver.submit().workstream, other


def page(workstream: Workstream) -> str:
    return reverse("prehandoff", args=[workstream.uuid])


def decide(driver: Driver, role: str = "reviewer", **fields: str):
    client = signed_in(getattr(driver.cast, role))
    return client.post(f"{page(driver.reload())}decide", fields, follow=True)


def test_as5_signing_waits_for_the_decision_and_work_waits_for_the_signature(
    driver: Driver, pair: tuple[Workstream, Workstream]
) -> None:
    client = signed_in(driver.cast.approver)
    shown = words(client.get(page(pair[0])))
    assert "Refunds by card Planning title" in shown
    refused = client.post(f"{page(pair[0])}sign", {"rationale": "Looked."})
    assert refused.status_code == 409
    assert "Suspected duplicates are undecided: Refunds by card" in words(refused)
    assert "Decide every suspected duplicate: merge, link, close or override" in words(refused)
    version = pair[0].version
    seen = {"version_id": version.pk, "seen_sha256": version.source_sha256, "decision": "approve"}
    client.post(reverse("plan-decide", args=[version.workflow.slug, 1]), seen)
    driver.advance()
    assert driver.task("A1").verdict.reason == Reason.PREHANDOFF
    assert not Attempt.objects.exists()
    decide(driver, other="refunds-by-card", outcome="link", rationale="That one is for another bank.")
    client.post(f"{page(pair[0])}sign", {"rationale": "The two do not overlap."})
    driver.advance()
    assert driver.ready() == ["A1", "B1"]


def test_as5_next_and_why_say_that_suspects_are_decided_first(
    driver: Driver, pair: tuple[Workstream, Workstream]
) -> None:
    """Whoever was told to sign was refused, and not told why before."""
    version = pair[0].version
    decisions.approve_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    driver.advance()
    machine = Machine.of(driver.cast.builder())
    first = "decide first about the suspected duplicate refunds-by-card (approver or reviewer), then sign"
    told = machine.post("/api/next", {"wait": 0})[1]["waiting"]
    assert any(first in one["to_do"] for one in told if one["workstream"] == pair[0].slug)
    address = reverse("api:workstream-why", args=[pair[0].uuid])
    assert first in machine.get(address)[1]["sentence"]
    driver.decide(pair[1], "override")
    assert machine.get(address)[1]["root"]["to_do"] == "sign the pre-handoff review"


def test_as5_merge_closes_this_one_and_both_pages_say_so(
    driver: Driver, pair: tuple[Workstream, Workstream]
) -> None:
    done = decide(driver, other="refunds-by-card", outcome="merge", rationale="Same refunds, same customers.")
    assert "Card refunds is closed; its work goes on in Refunds by card." in words(done)
    merged, other = driver.reload(), pair[1]
    assert (merged.status, merged.merged_into) == ("archived", other)
    client = signed_in(driver.cast.observer)
    assert "Goes on in Refunds by card" in words(client.get(f"/workstreams/{merged.uuid}/"))
    assert "Took over Card refunds" in words(client.get(f"/workstreams/{other.uuid}/"))
    entry = HistoryEntry.objects.get(action="duplicate decided", workstream=merged)
    assert (entry.actor, entry.reason) == ("rita", "Same refunds, same customers.")
    assert json.loads(entry.leaf)["data"]["merged_into"] == other.slug
    assert HistoryEntry.objects.filter(action="named as duplicate", workstream=other).exists()
    assert state_problems(merged) == []


def test_as5_the_brief_of_the_other_names_what_was_merged_into_it(
    driver: Driver, pair: tuple[Workstream, Workstream]
) -> None:
    decide(driver, other="refunds-by-card", outcome="merge", rationale="Same work.")
    driver.start(PLAN.replace(b"Card refunds", b"Third"))
    merged = driver.reload()
    first = Workstream.objects.get(slug="card-refunds")
    first.merged_into = merged  # the brief follows the row, whoever wrote it
    first.save(update_fields=["merged_into"])
    answer = signed_in(driver.cast.observer).get(
        f"/tasks/{driver.task('A1').pk}/", headers={"accept": "application/json"}
    )
    assert answer.json()["took_over"] == [
        {"slug": "card-refunds", "title": "Card refunds", "plan": "workstreams/card-refunds/PLAN.md"}
    ]


def test_as5_close_archives_a_duplicate_and_its_plan_can_no_longer_be_approved(
    driver: Driver, pair: tuple[Workstream, Workstream]
) -> None:
    decide(driver, other="refunds-by-card", outcome="close", rationale="Submitted twice.")
    closed = driver.reload()
    assert (closed.status, closed.merged_into) == ("archived", None)
    client, version = signed_in(driver.cast.approver), closed.version
    listed = words(client.get("/"))
    assert ("Refunds by card" in listed, "Card refunds" in listed) == (True, False)
    seen = {"version_id": version.pk, "seen_sha256": version.source_sha256, "decision": "approve"}
    refused = client.post(reverse("plan-decide", args=[version.workflow.slug, 1]), seen)
    assert refused.status_code == 409
    assert "Card refunds is archived; its plan no longer changes." in words(refused)
    assert driver.reload().status == "archived"


def test_as5_a_pair_is_decided_once_for_both_sides(
    driver: Driver, pair: tuple[Workstream, Workstream]
) -> None:
    decide(driver, other="refunds-by-card", outcome="link", rationale="Two banks.")
    client = signed_in(driver.cast.approver)
    for one in pair:
        assert client.post(f"{page(one)}sign", {"rationale": "Linked."}).status_code == 302
        assert "Linked with" in words(client.get(f"/workstreams/{one.uuid}/"))


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        (
            {"other": "refunds-by-card", "outcome": "merge"},
            422,
            "Say why the two are, or are not, the same work.",
        ),
        (
            {"other": "refunds-by-card", "outcome": "forget", "rationale": "x"},
            422,
            "The decision is one of merge, link",
        ),
        ({"other": "nowhere", "outcome": "link", "rationale": "x"}, 404, "There is no workstream 'nowhere'."),
        ({"other": "card-refunds", "outcome": "link", "rationale": "x"}, 422, "no duplicate of itself"),
    ],
)
def test_as5_a_decision_that_does_not_apply_is_refused(
    driver: Driver, pair: tuple[Workstream, Workstream], fields: dict[str, str], status: int, said: str
) -> None:
    refused = decide(driver, **fields)
    assert refused.status_code == status
    assert said in words(refused)
    assert driver.reload().duplicate_decisions.count() == 0


def test_as5_an_observer_decides_nothing(driver: Driver, pair: tuple[Workstream, Workstream]) -> None:
    assert (
        decide(driver, "observer", other="refunds-by-card", outcome="close", rationale="x").status_code == 403
    )
    assert driver.reload().status == "planning"


def test_as5_after_the_first_claim_nothing_is_decided(driver: Driver) -> None:
    other = driver.submit(TWIN).workstream
    driver.start()
    driver.claim("A1")
    refused = decide(driver, other=other.slug, outcome="merge", rationale="Too late.")
    assert refused.status_code == 409
    assert "Work on Card refunds has begun" in words(refused)
    assert driver.reload().status == "active"


def test_as5_work_does_not_go_on_in_a_closed_workstream(driver: Driver) -> None:
    done = driver.start(TWIN)
    signed_in(driver.cast.approver).post(f"/workstreams/{done.uuid}/acts/archive", {"reason": "Not wanted."})
    driver.submit()
    refused = decide(driver, other=done.slug, outcome="merge", rationale="Same.")
    assert (refused.status_code, driver.reload().status) == (409, "planning")
    assert "work cannot go on in it" in words(refused)
