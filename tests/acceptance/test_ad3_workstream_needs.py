"""AD-3: a plan needs other workstreams.

The need is judged at submission, shown everywhere, and follows the version.
"""

import json

import pytest
from django.urls import reverse

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry, Workflow, Workstream, WorkstreamNeed
from orchestrator.services.people.executors import register_executor
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


def plan(title: str, needs: str = "", priority: int | None = None) -> bytes:
    front = (f"needs: {needs}\n" if needs else "") + (
        f"priority: {priority}\n" if priority is not None else ""
    )
    text = PLAN.decode().replace("domain: payments\n", f"domain: payments\n{front}")
    return text.replace("Card refunds", title).encode()


@pytest.fixture
def steward(driver: Driver) -> Machine:
    executor = register_executor(name="steward", kind=ExecutorKind.AGENT, user=driver.cast.approver, now=NOON)
    return Machine.of(executor)


def submit(driver: Driver, source: bytes, role: str = "initiator", **fields: str):
    client = signed_in(getattr(driver.cast, role))
    return client.post(
        reverse("plan-submit"), {"act": "submit", "source": source.decode(), **fields}, follow=True
    )


def approve(driver: Driver, slug: str) -> None:
    version = Workflow.objects.get(slug=slug).versions.order_by("-number")[0]
    seen = {"version_id": version.pk, "seen_sha256": version.source_sha256, "decision": "approve"}
    address = reverse("plan-decide", args=[slug, version.number])
    answer = signed_in(driver.cast.approver).post(address, seen)
    assert answer.status_code == 302, words(answer)


def needs_of(slug: str) -> list[str]:
    return list(WorkstreamNeed.objects.filter(workstream__slug=slug).values_list("needed__slug", flat=True))


def test_ad3_needs_stand_on_pages_in_rest_and_in_the_registry(
    driver: Driver, steward: Machine, files: Files
) -> None:
    first = driver.start(plan("Price book"))
    second = driver.start(plan("Quote service", needs="price-book"))
    client = signed_in(driver.cast.observer)
    assert "Waits for Price book Active" in words(client.get(f"/workstreams/{second.uuid}/"))
    assert "Needed by Quote service" in words(client.get(f"/workstreams/{first.uuid}/"))
    assert "Waits for Price book." in words(client.get("/portfolio/"))
    answer = steward.get(f"/api/workstreams/{second.uuid}/")[1]
    assert (answer["needs"], answer["needed_by"]) == (["price-book"], [])
    assert steward.get(f"/api/workstreams/{first.uuid}/")[1]["needed_by"] == ["quote-service"]
    registry = {
        one["id"]: one["needs"] for one in json.loads(files.text("workstreams/index.json"))["streams"]
    }
    assert registry == {"price-book": [], "quote-service": ["price-book"]}


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("nowhere", "line 3: The plan needs “nowhere”, which is no workstream."),
        ("old-work", "line 3: The plan needs “old-work”, which is archived and will never be completed."),
    ],
)
def test_ad3_an_unknown_or_archived_need_is_refused_with_its_line(
    driver: Driver, needs: str, said: str
) -> None:
    old = driver.submit(plan("Old work")).workstream
    signed_in(driver.cast.approver).post(f"/workstreams/{old.uuid}/acts/archive", {"reason": "Dropped."})
    refused = submit(driver, plan("Quote service", needs=needs))
    assert refused.status_code == 422
    assert said in words(refused)
    assert Workstream.objects.count() == 1


def test_ad3_check_names_an_unknown_need_over_rest(driver: Driver, steward: Machine) -> None:
    status, answer = steward.post(
        "/api/plans/check", {"source": plan("Quote service", needs="nowhere").decode()}
    )
    [found] = [f for f in answer["findings"] if f["code"] == "unknown-workstream"]
    assert (status, answer["approvable"], found["line"]) == (200, False, 3)


def test_ad3_a_circle_of_workstreams_is_refused_by_name(driver: Driver) -> None:
    driver.start(plan("Price book"))
    driver.start(plan("Quote service", needs="price-book"))
    fields = {"of": "price-book", "change_reason": "It reads quotes."}
    refused = submit(driver, plan("Price book", needs="quote-service"), **fields)
    assert refused.status_code == 422
    assert "Workstreams need one another in a circle: price-book → quote-service → price-book." in words(
        refused
    )
    itself = submit(driver, plan("Price book", needs="price-book"), **fields)
    assert "price-book → price-book" in words(itself)


def test_ad3_a_new_version_changes_the_needs_when_it_is_approved(driver: Driver) -> None:
    driver.start(plan("Price book"))
    driver.start(plan("Tax rates"))
    driver.start(plan("Quote service", needs="price-book"))
    fields = {"of": "quote-service", "change_reason": "Prices come from elsewhere."}
    assert submit(driver, plan("Quote service", needs="[tax-rates]"), **fields).status_code == 200
    assert needs_of("quote-service") == ["price-book"], "work goes on under the approved version"
    approve(driver, "quote-service")
    assert needs_of("quote-service") == ["tax-rates"]
    assert WorkstreamNeed.ever.get(needed__slug="price-book").dropped_at, "nothing is deleted"
    assert submit(driver, plan("Quote service", needs="price-book, tax-rates"), **fields).status_code == 200
    approve(driver, "quote-service")
    assert sorted(needs_of("quote-service")) == ["price-book", "tax-rates"]
    last = HistoryEntry.objects.filter(action="needs changed").order_by("-sequence")[0]
    assert (last.subject, last.actor) == ("price-book, tax-rates", "anna")
    assert state_problems(driver.reload()) == []


def test_ad3_merging_hands_the_need_over_and_closing_a_circle_by_it_is_refused(driver: Driver) -> None:
    driver.submit(plan("Price book"))
    driver.submit(plan("Quote service", needs="price-book"))
    other = driver.submit(plan("Book of prices")).workstream
    driver.workstream = Workstream.objects.get(slug="price-book")
    driver.decide(other, "merge")
    assert needs_of("quote-service") == ["book-of-prices"]
    assert state_problems(Workstream.objects.get(slug="quote-service")) == []
    needing = driver.submit(plan("Price lists", needs="quote-service")).workstream
    driver.workstream = Workstream.objects.get(slug="book-of-prices")
    body = {"other": needing.slug, "outcome": "merge", "rationale": "Same."}
    page = reverse("prehandoff-act", args=[driver.workstream.uuid, "decide"])
    refused = signed_in(driver.cast.reviewer).post(page, body)
    assert refused.status_code == 409
    assert "circle: price-lists → quote-service → price-lists" in words(refused)
    assert driver.reload().status == "planning"


def test_ad3_priority_is_set_with_a_reason_and_stays_until_the_plan_changes_its_own(
    driver: Driver, steward: Machine
) -> None:
    work = driver.start(plan("Price book", priority=2))
    page = f"/workstreams/{work.uuid}/acts/priority"
    client = signed_in(driver.cast.initiator)
    assert client.post(page, {"priority": "9", "reason": " "}).status_code == 422
    assert client.post(page, {"priority": "9.5", "reason": "x"}).status_code == 422
    assert signed_in(driver.cast.observer).post(page, {"priority": "9", "reason": "x"}).status_code == 403
    client.post(page, {"priority": "9", "reason": "The fair is in May."})
    assert driver.reload().priority == 9
    assert HistoryEntry.objects.get(action="priority set").subject == "2 to 9"
    fields = {"of": "price-book", "change_reason": "Later."}
    submit(driver, plan("Price book", priority=2) + b"\nAn aside.\n", **fields)
    approve(driver, "price-book")
    assert driver.reload().priority == 9, "the plan's own priority did not change"
    submit(driver, plan("Price book", priority=4), **fields)
    approve(driver, "price-book")
    assert driver.reload().priority == 4
    address = f"/api/workstreams/{work.uuid}/priority"
    status, answer = steward.post(address, {"priority": -1, "reason": "Can wait."})
    assert (status, answer["priority"]) == (200, -1)
    assert steward.post(address, {"priority": 10**7, "reason": "x"})[0] == 422


def test_ad3_accepting_reopening_and_archiving_wake_what_needs_it(
    driver: Driver, steward: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = driver.start(plan("Price book"))
    driver.finish()
    waiting = driver.submit(plan("Quote service", needs="price-book")).workstream
    woken: list[int] = []
    monkeypatch.setattr("orchestrator.services.workstreams.needs.wake", woken.append)
    steward.patch(f"/workstreams/{first.uuid}/", {"status": "completed"})
    client = signed_in(driver.cast.approver)
    client.post(f"/workstreams/{first.uuid}/acts/reopen", {"reason": "A price is missing."})
    client.post(f"/workstreams/{first.uuid}/acts/archive", {"reason": "Superseded."})
    assert woken == [waiting.pk] * 3
    text = words(client.get(f"/workstreams/{waiting.uuid}/"))
    assert "Waits for Price book Archived It will never be completed" in text


def test_ad3_nothing_starts_before_what_it_needs_is_accepted(driver: Driver, steward: Machine) -> None:
    first = driver.start(plan("Price book"))
    second = driver.start(plan("Quote service", needs="price-book"))
    assert driver.ready() == []
    explained = steward.get(f"/api/workstreams/{second.uuid}/")[1]["tasks"][0]["explanation"]
    assert explained["reason"] == "workstream-dependency"
    assert "price-book" in explained["sentence"]
    driver.workstream = first
    driver.finish()
    driver.workstream = second
    driver.advance()
    assert driver.ready() == [], "finished is not accepted"
    steward.patch(f"/workstreams/{first.uuid}/", {"status": "completed"})
    driver.advance()
    assert driver.ready() == ["A1", "B1"]
