"""FR-015: why work is not moving, to the root: since when, who frees it, what waits behind it; the same on
pages, over REST and MCP, and on the command line.
"""

import io
import json
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orchestrator.contract.why import WhyFacts
from orchestrator.core.terms import EventType, ExecutorKind, RootKind
from orchestrator.models import HandoffArtifact, HistoryEntry
from orchestrator.services.freeing import why_task, why_workstream
from orchestrator.services.people import blockers, interventions
from orchestrator.services.people.executors import register_executor
from orchestrator.services.review.gates import reject_gate
from orchestrator.services.work.claims import report
from orchestrator.services.work.failures import requeue
from tests.cast import PLAN, Driver
from tests.conforming import conforms
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db

HOURS = timedelta(hours=3)


def plan(title: str, needs: str = "") -> bytes:
    front = f"domain: payments\nneeds: {needs}\n" if needs else "domain: payments\n"
    return PLAN.replace(b"domain: payments\n", front.encode()).replace(b"Card refunds", title.encode())


def same_moment(told: str, kept: datetime) -> bool:
    """JSON tells milliseconds."""
    return datetime.fromisoformat(told) == kept.replace(microsecond=kept.microsecond // 1000 * 1000)


class Asked:
    """Asks three hours after the last act."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.machine = Machine.of(driver.cast.builder("asker"))

    def rest(self, key: str = "", after: timedelta = HOURS) -> dict:
        uuid = self.driver.reload().uuid
        place = f"/api/tasks/{self.driver.task(key).pk}" if key else f"/api/workstreams/{uuid}"
        with time_machine.travel(timezone.now() + after, tick=False):
            status, answer = self.machine.get(f"{place}/why/")
        assert status == 200, answer
        return answer

    def page(self, key: str = "", after: timedelta = HOURS) -> str:
        uuid = self.driver.reload().uuid
        place = f"/workstreams/{uuid}/tasks/{key}/" if key else f"/workstreams/{uuid}/"
        with time_machine.travel(timezone.now() + after, tick=False):
            return words(signed_in(self.driver.cast.observer).get(place))

    def command(self, *arguments: str, after: timedelta = HOURS) -> str:
        out = io.StringIO()
        with time_machine.travel(timezone.now() + after, tick=False):
            call_command("why", self.driver.reload().slug, *arguments, stdout=out)
        return out.getvalue()


@pytest.fixture
def asked(driver: Driver) -> Asked:
    return Asked(driver)


def ask(driver: Driver, key: str, note: str) -> datetime:
    at = timezone.now()
    interventions.flag_for_human(
        task_id=driver.task(key).pk, note=note, actor=driver.cast.actor("contributor"), now=at
    )
    return at


def test_fr015_a_question_far_ahead_is_named_with_since_who_and_what_waits(
    driver: Driver, asked: Asked
) -> None:
    driver.start()
    driver.do("A1", "A2")
    driver.claim("B1")
    at = ask(driver, "B1", "How are prices rounded?")
    driver.advance()
    answer = asked.rest("MP1")
    assert answer["sentence"] == (
        "MP1 waits for B1: it asks “How are prices rounded?”, for 3 hours; 3 tasks wait behind it; answer it."
    )
    assert [link["key"] for link in answer["links"]] == ["MP1", "B1"]
    root = answer["root"]
    assert (root["kind"], root["key"], root["behind"]) == ("question", "B1", 3)
    assert same_moment(root["since"], at)
    assert root["behind_first"] == ["MP1", "C1", "D1"]
    assert root["freed_by"] == ["approver", "contributor", "initiator", "reviewer"]
    assert root["address"] == f"/workstreams/{driver.workstream.uuid}/tasks/B1/"
    for said in (asked.page("MP1"), asked.page(), asked.command("MP1"), asked.command()):
        assert "it asks “How are prices rounded?”, for 3 hours" in said
        assert "answer it" in said


def test_fr015_a_root_in_another_workstream_is_reached_through_the_need(driver: Driver) -> None:
    first = driver.start(plan("Price book"))
    driver.claim("A1")
    driver.fail("A1", "The ledger is closed.")
    driver.start(plan("Quote service", needs="price-book"))
    answer = Asked(driver).rest("A1")
    assert [(link["workstream"], link["key"]) for link in answer["links"]] == [
        ("quote-service", "A1"),
        ("price-book", ""),
        ("price-book", "A1"),
    ]
    assert answer["links"][0]["reason"] == "workstream-dependency"
    assert answer["root"]["kind"] == "failure"
    assert answer["root"]["workstreams_behind"] == ["quote-service"]
    assert answer["root"]["address"].startswith(f"/workstreams/{first.uuid}/")
    assert answer["sentence"].startswith(
        "A1 waits for the workstream price-book, which waits for price-book/A1: "
        "its last attempt failed with “The ledger is closed.”, for 3 hours"
    )


def test_fr015_fr012_a_blocker_of_a_running_step_is_what_work_waits_for(driver: Driver, asked: Asked) -> None:
    """With who sees to it and since when; a step that is ready beside it is not what is in the way."""
    driver.start()
    driver.claim("A1")
    driver.advance()
    at = timezone.now()
    blockers.declare_blocker(
        task_id=driver.task("A1").pk,
        kind="external",
        note="The supplier is late.",
        owner="anna",
        actor=driver.cast.actor("contributor"),
        now=at,
    )
    said = "it is blocked by “The supplier is late.”, which anna sees to, for 3 hours"
    for key in ("", "A1", "A2"):
        root = asked.rest(key)["root"]
        assert (root["kind"], root["key"], same_moment(root["since"], at)) == ("blocker", "A1", True), key
        assert said in asked.page(key), key
        assert said in asked.command(*filter(None, [key])), key
    portfolio = words(signed_in(driver.cast.observer).get("/portfolio/"))
    assert "it is blocked by “The supplier is late.”, which anna sees to" in portfolio
    running = [task for task in asked.rest("A1")["links"] if task["key"] == "A1"]
    assert running[0]["sentence"].startswith("running on builder-A1")
    assert running[0]["sentence"].endswith(", blocked: The supplier is late.")


def test_fr015_fr027_who_is_started_for_other_work_only_is_not_said_to_be_free(
    driver: Driver, asked: Asked, settings, tmp_path
) -> None:
    settings.EXECUTORS_FILE = tmp_path / "executors.toml"
    driver.start()
    driver.cast.builder("stub-agent")
    told = "[stub-agent]\ncommand = 'true'\naccount = 'carl'\n"
    for only, free in (
        ("", ["asker", "stub-agent"]),
        (f"workstream = '{driver.reload().slug}'", ["asker", "stub-agent"]),
        ("workstream = 'another-one'", ["asker"]),
        ("repository = 'elsewhere'", ["asker"]),
    ):
        settings.EXECUTORS_FILE.write_text(told + only)
        assert [one["executor"] for one in asked.rest("A1")["root"]["could_claim"]] == free, only


def test_fr015_since_is_when_the_last_act_made_it_so(driver: Driver, asked: Asked) -> None:
    """Of a step that was queued again, and of a gate that was decided, not when they were reached."""
    driver.start()
    driver.claim("A1")
    driver.fail("A1")
    at = driver.tick()
    requeue(task_id=driver.task("A1").pk, reason="Once more.", actor=driver.cast.actor("contributor"), now=at)
    root = asked.rest("A1")["root"]
    assert (root["kind"], same_moment(root["since"], at)) == ("next-round", True)
    driver.advance()
    driver.do("A1", "B1", "A2")
    driver.advance()
    at = timezone.now()
    reject_gate(
        task_id=driver.task("MP1").pk,
        return_key="A2",
        reason="No.",
        actor=driver.cast.actor("reviewer"),
        now=at,
        withdraw_seconds=60,
    )
    for key in ("MP1", "C1"):
        root = asked.rest(key, timedelta(seconds=5))["root"]
        assert (root["kind"], same_moment(root["since"], at)) == ("gate", True)


def test_fr015_who_could_claim_and_whether_they_are_free(driver: Driver, asked: Asked) -> None:
    driver.start()
    busy = driver.cast.builder("builder-busy")
    driver.claim("B1", busy)
    register_executor(name="stranger", kind=ExecutorKind.AGENT, user=driver.cast.observer, now=driver.now)
    root = asked.rest("A2")["root"]
    assert (root["kind"], root["key"], root["freed_by"]) == ("unclaimed", "A1", ["contributor"])
    told = [(one["executor"], one["busy_with"]) for one in root["could_claim"]]
    assert told == [("asker", ""), ("builder-busy", f"{driver.reload().slug}/B1")]
    assert root["claimers"] == 2
    assert "(asker is free)" in root["stands"]
    driver.claim("A1", driver.cast.builder("asker"))
    report(
        attempt_id=driver.attempt("A1").pk,
        token=driver.task("A1").last_token,
        executor=driver.cast.builder("asker"),
        breadcrumb="Entries half written.",
        now=timezone.now(),
    )
    root = asked.rest("A2")["root"]
    assert (root["kind"], root["last_word"]) == ("running", "Entries half written.")
    assert same_moment(root["since"], driver.attempt("A1").started_at)
    assert "Entries half written." in asked.page("A2")


def test_fr015_each_thing_in_the_way_is_the_root_in_its_turn(driver: Driver, asked: Asked, settings) -> None:
    submitted = driver.submit()
    root = asked.rest()["root"]
    assert (root["kind"], root["freed_by"], root["people"]) == (
        "plan-not-approved",
        ["approver"],
        ["anna"],
    )
    assert same_moment(root["since"], submitted.version.submitted_at)
    driver.start()
    blockers.declare_blocker(
        task_id=driver.task("A1").pk,
        kind="external",
        note="No vendor key.",
        owner="rita",
        actor=driver.cast.actor("contributor"),
        now=timezone.now(),
    )
    driver.advance()
    assert asked.rest()["root"]["kind"] == asked.rest("D1")["root"]["kind"] == "blocker"
    blockers.resolve_blocker(
        blocker_id=driver.task("A1").blockers.get().pk,
        resolution="It came.",
        actor=driver.cast.actor("contributor"),
        now=timezone.now(),
    )
    driver.advance()
    driver.do("A1", "A2", "B1")
    root = asked.rest("D1")["root"]
    assert (root["kind"], root["key"], root["freed_by"], root["people"]) == (
        "gate",
        "MP1",
        ["reviewer"],
        ["rita"],
    )
    assert root["address"] == f"/gates/{driver.task('MP1').pk}/"
    driver.sign("MP1")
    artifact = HandoffArtifact.objects.get(attempt__task=driver.task("MP1"), event=EventType.GATE_APPROVED)
    (settings.WORKSPACE_DIR / artifact.path).unlink()
    driver.advance()
    root = asked.rest("C1")["root"]
    assert root["kind"] == "artifact"
    assert artifact.path in root["stands"]
    assert same_moment(root["since"], driver.task("MP1").interventions.get().raised_at)


def test_fr015_since_does_not_come_from_the_history(driver: Driver, asked: Asked, monkeypatch) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1")
    monkeypatch.setattr(HistoryEntry.objects, "get_queryset", lambda: pytest.fail("read the history"))
    assert asked.rest("D1")["root"]["kind"] == "failure"
    assert asked.rest()["root"]["kind"] == "failure"


def test_fr015_what_else_needs_somebody_is_told_beside_the_root(driver: Driver, asked: Asked) -> None:
    driver.start()
    driver.claim("A1")
    driver.claim("B1")
    driver.fail("B1")
    answer = asked.rest("D1")
    assert answer["root"]["kind"] == "running"
    assert [(one["kind"], one["key"]) for one in answer["also"]] == [("failure", "B1")]
    assert answer["sentence"].endswith("B1 needs somebody as well.")
    assert asked.rest()["root"]["key"] == "B1", "the most urgent of the front"


def test_fr015_the_command_prints_what_rest_answers(driver: Driver, asked: Asked) -> None:
    driver.start()
    for key in ("D1", ""):
        printed, answer = json.loads(asked.command(*filter(None, [key]), "--json")), asked.rest(key)
        assert conforms(printed, WhyFacts)
        for told in (printed, answer):
            assert told["root"].pop("since")
            assert all(link.pop("since") for link in told["links"])
        assert printed == answer
    with pytest.raises(CommandError, match="There is no task X9"):
        asked.command("X9")
    with pytest.raises(CommandError, match="There is no workstream 'nowhere'"):
        call_command("why", "nowhere")


def test_fr015_a_task_that_is_done_waits_for_nothing(driver: Driver, asked: Asked) -> None:
    driver.start()
    driver.do("A1")
    answer = asked.rest("A1")
    assert (answer["root"]["kind"], answer["root"]["behind"], answer["also"]) == ("nothing", 0, [])
    assert "Why it is not moving" not in asked.page("A1")


def test_fr015_refusals_and_who_may_ask(driver: Driver, asked: Asked) -> None:
    driver.start()
    assert asked.machine.get("/api/tasks/999999/why/")[0] == 404
    nowhere = "/api/workstreams/00000000-0000-0000-0000-000000000000/why/"
    assert asked.machine.get(nowhere)[0] == 404
    blind = Machine.of(driver.cast.builder("blind"), frozenset({"work"}))
    assert blind.get(f"/api/tasks/{driver.task('A1').pk}/why/")[0] == 403


def test_fr015_a_chain_costs_the_same_however_long_the_plan_is(
    driver: Driver, asked: Asked, django_assert_max_num_queries
) -> None:
    steps = "\n".join(f"- S{number}: Step {number}\n  - Exit: done" for number in range(60))
    source = PLAN[: PLAN.index(b"### Merge Point")] + (
        f"##### Batch 02: long\n\n###### Thread 01: long\n- Role: contributor\n{steps}\n".encode()
    )
    driver.start(source)
    with django_assert_max_num_queries(30):
        answer = asked.rest("S59")
    assert answer["root"]["key"] == "A1"
    assert answer["root"]["behind"] == 61


def test_fr015_lc4_the_portfolio_says_what_each_workstream_waits_for(driver: Driver, asked: Asked) -> None:
    driver.start()
    driver.claim("B1")
    ask(driver, "B1", "How are prices rounded?")
    with time_machine.travel(timezone.now() + HOURS, tick=False):
        client = signed_in(driver.cast.observer)
        page, listed = words(client.get("/portfolio/")), client.get("/portfolio.csv")
    said = "B1: it asks “How are prices rounded?”, for 3 hours."
    assert said in page
    assert "tasks are open" not in page
    assert said in b"".join(listed.streaming_content).decode()


def test_fr015_lc2_a_stalled_workstream_says_since_when_and_what_happened_last(
    driver: Driver, asked: Asked
) -> None:
    driver.start()
    driver.do("A1", "B1")
    last = HistoryEntry.objects.filter(workstream=driver.workstream).order_by("-sequence")[0]
    with time_machine.travel(timezone.now() + timedelta(days=9), tick=False):
        page = words(signed_in(driver.cast.observer).get("/portfolio/?signal=stalled"))
    assert f"No update for 9 days, the last: {last.action} {last.subject} ({last.actor})." in page
    assert "A2: ready, waits for an executor to claim it, for 9 days." in page


def test_fr015_many_rows_of_the_portfolio_cost_as_much_as_two(driver: Driver) -> None:
    client = signed_in(driver.cast.observer)

    def page_costs(more: int) -> int:
        for number in range(more):
            driver.start(plan(f"Refunds {more} {number}"))
        with CaptureQueriesContext(connection) as statements:
            assert client.get("/portfolio/").status_code == 200
        return len(statements)

    first = page_costs(2)
    assert page_costs(5) == first


def test_fr015_before_a_plan_is_in_force_its_steps_wait_for_it(driver: Driver) -> None:
    driver.submit()
    found = why_workstream(driver.reload(), driver.now)
    assert (found.root.kind, found.root.behind, found.root.behind_first) == (RootKind.PLAN, 6, ())
    assert "6 planned steps" in page_of(driver)
    assert "approve the plan or send it back" in page_of(driver)


def test_fr015_a_plan_with_an_open_question_says_that_it_is_answered_first(driver: Driver) -> None:
    driver.submit(PLAN.replace(b"## Stages", b"## Questions\n- [ ] Which currency?\n\n## Stages"))
    assert "answer the question that the plan leaves open" in page_of(driver)
    inbox = words(signed_in(driver.cast.approver).get("/"))
    assert "1 question is open in it: answer first, or send it back" in inbox


def test_fr015_nobody_is_said_to_lack_a_role_beside_people_who_have_it(driver: Driver) -> None:
    driver.start()
    shown = page_of(driver)
    assert "no executor has the role" not in shown
    assert "Who can contributor" in shown
    for person in User.objects.all():
        person.groups.clear()
    found = why_task(driver.reload(), "A1", driver.now)
    assert "no executor has the role" in found.root.stands


def page_of(driver: Driver) -> str:
    return words(signed_in(driver.cast.observer).get(f"/workstreams/{driver.reload().uuid}/"))
