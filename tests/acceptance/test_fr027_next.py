"""FR-027, FR-028: one call claims the first step that an executor may do, waits for one, or says what is in
the way.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Assignment, Executor, HistoryEntry
from orchestrator.queries.work.work import Wanted, newest_entry
from orchestrator.services import next_facts as next_facts_module
from orchestrator.services import next_step
from orchestrator.services.base.actor import Actor
from orchestrator.services.next_step import NextStep, claim_next
from orchestrator.services.people.executors import register_executor
from orchestrator.services.work.waiting_room import WaitingRoom
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.machines import Machine
from tests.verified import state_problems

OTHER = PLAN.replace(b"Card refunds", b"Gift cards").replace(
    b"domain: payments", b"domain: payments\npriority: 5"
)

PLAN_OF_TWO_LANES = b"""# Plan: Two lanes

##### Batch 01: both

###### Thread 01: one
- Files: `same/**`
- A1: The one
  - Exit: it is there

###### Thread 02: other
- Files: `same/**`
- B1: The other
  - Exit: it is there
"""


def agent(name: str, *roles: Role) -> Executor:
    user = UserFactory(username=f"owner-of-{name}", roles=roles)
    return register_executor(name=name, kind=ExecutorKind.AGENT, user=user, now=NOON)


def taken(answer: Any) -> str:
    return f"{answer['claim']['brief']['task']['workstream_slug']}/{answer['claim']['attempt']['key']}"


@pytest.mark.django_db
def test_fr027_next_claims_by_the_schedulers_order_and_gives_again_what_is_held(driver: Driver) -> None:
    driver.start()
    first, second = Machine.of(driver.cast.builder("first")), Machine.of(driver.cast.builder("second"))
    status, answer = first.post("/api/next", {})
    assert (status, taken(answer), answer["again"]) == (200, "card-refunds/A1", False)
    assert answer["claim"]["token"] == driver.task("A1").last_token
    again = first.post("/api/next", {})[1]
    assert (taken(again), again["again"], again["claim"]["token"]) == (
        "card-refunds/A1",
        True,
        answer["claim"]["token"],
    )
    assert taken(second.post("/api/next", {})[1]) == "card-refunds/B1"
    assert HistoryEntry.objects.filter(action="attempt claimed").count() == 2


@pytest.mark.django_db
def test_fr027_next_needs_no_body(driver: Driver) -> None:
    driver.start()
    status, told = Machine.of(driver.cast.builder()).post("/api/next")
    assert (status, told["claim"]["attempt"]["key"]) == (200, "A1")


@pytest.mark.django_db
def test_fr027_next_goes_by_priority_and_by_what_is_asked_for(driver: Driver, cast) -> None:
    driver.start()
    other = Driver(cast)
    other.start(OTHER)
    one, two = Machine.of(cast.builder("one")), Machine.of(cast.builder("two"))
    assert taken(one.post("/api/next", {})[1]) == "gift-cards/A1"
    assert taken(two.post("/api/next", {"workstream": "card-refunds"})[1]) == "card-refunds/A1"
    three = Machine.of(cast.builder("three"))
    by_uuid = {"workstream": str(driver.reload().uuid)}
    assert taken(three.post("/api/next", by_uuid)[1]) == "card-refunds/B1"
    four = Machine.of(cast.builder("four"))
    assert four.post("/api/next", {"workstream": "no-such"})[0] == 404
    refusal = four.post("/api/next", {"repository": "no-such"})
    assert (refusal[0], refusal[1]["details"]) == (422, {"field": "repository"})
    assert four.post("/api/next", {"wait": 61})[0] == 422


@pytest.mark.django_db
def test_fr027_without_a_step_next_says_what_is_in_the_way(driver: Driver) -> None:
    late = Machine.of(driver.cast.builder("late"))
    answer = late.post("/api/next", {})[1]
    assert answer["sentence"] == "Nothing can be claimed by late now. No workstream is open."
    driver.start()
    driver.claim("A1")
    looker = Machine.of(agent("looker", Role.INITIATOR))
    answer = looker.post("/api/next", {})[1]
    assert answer["claim"] is None
    assert answer["retry_after"] > 0
    step, running = answer["waiting"]
    assert (step["key"], step["sentence"]) == ("B1", "B1 needs the role contributor.")
    assert (running["workstream"], running["key"]) == ("card-refunds", "A1")
    assert running["sentence"].startswith("A1: running on builder-A1")
    assert running["to_do"]


@pytest.mark.django_db
def test_fr027_next_names_what_waits_for_the_files_of_others_and_each_thing_once(driver: Driver) -> None:
    driver.start(PLAN_OF_TWO_LANES)
    driver.claim("A1")
    waiting = Machine.of(driver.cast.builder("late")).post("/api/next", {})[1]["waiting"]
    assert [one["key"] for one in waiting] == ["B1"]
    assert "B1 waits for A1" in waiting[0]["sentence"]


@pytest.mark.django_db
def test_fr027_what_a_round_launches_meanwhile_is_claimed_and_nothing_is_not_kept_under_a_key(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine.of(driver.cast.builder("early"))
    assert machine.post("/api/next", {}, key="one")[1]["claim"] is None
    driver.start()
    looked = next_facts_module.claim_next
    answers = [NextStep(None)]
    monkeypatch.setattr(
        next_facts_module, "claim_next", lambda **asked: answers.pop() if answers else looked(**asked)
    )
    told = machine.post("/api/next", {}, key="one")
    assert taken(told[1]) == "card-refunds/A1"
    assert machine.post("/api/next", {}, key="one") == told


@pytest.mark.django_db
def test_fr011_next_offers_no_step_of_another_role_or_of_a_tool(driver: Driver) -> None:
    driver.start(
        PLAN.replace(b"  - Exit: unit tests pass", b"  - Role: approver\n  - Exit: unit tests pass").replace(
            b"  - Exit: contract test passes", b"  - Tool: ruff\n  - Exit: contract test passes"
        )
    )
    worker = driver.cast.builder("worker")
    machine = Machine.of(worker)
    answer = machine.post("/api/next", {})[1]
    said = {one["key"]: one["sentence"] for one in answer["waiting"] if one["key"]}
    assert said == {"A1": "A1 needs the role approver.", "B1": "B1 is done by the tool ruff."}
    assert machine.get("/api/tasks/?claimable=true")[1]["count"] == 0
    status, refusal = machine.post(f"/api/attempts/{driver.attempt('B1').pk}/claim")
    assert (status, refusal["code"]) == (409, "wrong-executor")
    assert machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")[0] == 403
    tool = register_executor(name="ruffian", kind=ExecutorKind.TOOL, user=driver.cast.contributor, now=NOON)
    assert taken(Machine.of(tool).post("/api/next", {})[1]) == "card-refunds/B1"
    assert taken(Machine.of(agent("boss", Role.APPROVER)).post("/api/next", {})[1]) == "card-refunds/A1"


@pytest.mark.django_db
def test_fr027_a_person_gets_another_step_each_time_and_one_for_each_key(driver: Driver) -> None:
    driver.start()
    person = register_executor(
        name="carl-s", kind=ExecutorKind.PERSON, user=driver.cast.contributor, now=NOON
    )
    machine = Machine.of(person)
    first = machine.post("/api/next", {}, key="one")
    assert machine.post("/api/next", {}, key="one") == first
    assert taken(machine.post("/api/next", {}, key="two")[1]) == "card-refunds/B1"
    assert Assignment.objects.count() == 2


@pytest.mark.django_db
def test_fr027_mine_and_release_over_rest_and_as_commands(driver: Driver, capsys) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder("worker"))
    assert machine.get("/api/mine") == (200, {"count": 0, "items": []})
    call_command("next", "--executor", "worker", "--json")
    claim = json.loads(capsys.readouterr().out)["claim"]
    (held,) = machine.get("/api/mine")[1]["items"]
    assert (held["attempt"], held["token"], held["key"]) == (claim["attempt"]["id"], claim["token"], "A1")
    assert held["to_prove"] == [f"{claim['criteria'][0]['id']}: unit tests pass"]
    call_command("mine", "--executor", "worker")
    assert f"attempt {held['attempt']}, token {held['token']}" in capsys.readouterr().out
    claimed_again = machine.post(f"/api/attempts/{held['attempt']}/claim")[1]
    assert claimed_again["token"] == held["token"]
    given_back = [f"/api/attempts/{held['attempt']}/release", f"token={held['token']}", "breadcrumb=Begun."]
    call_command("call", "POST", *given_back, "--executor", "worker")
    assert json.loads(capsys.readouterr().out)["status"] == "cancelled"
    assert machine.get("/api/mine")[1]["count"] == 0
    driver.claim("B1")
    with pytest.raises(SystemExit):
        call_command("next", "--executor", "worker", "--workstream", "card-refunds")
    assert "Nothing can be claimed by worker now." in capsys.readouterr().out


def in_a_thread(act: Any) -> Any:
    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    return run


@pytest.mark.django_db(transaction=True)
def test_fr027_next_waits_until_a_step_is_launched(driver: Driver, monkeypatch) -> None:
    driver.start()
    driver.do("B1")
    driver.claim("A1")
    waiter = driver.cast.builder("waiter")
    room = WaitingRoom(newest_entry, lambda: True, every=0.05)
    monkeypatch.setattr(next_step, "ROOM", room)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(in_a_thread(lambda: ask(waiter, 30)))
        wait_for(lambda: room.looks > 2)
        assert not waiting.done()
        driver.complete("A1")
        step = waiting.result(timeout=20)
    assert step.assignment is not None
    assert step.assignment.attempt.task.step.key == "A2"
    assert state_problems(driver.reload()) == []


@pytest.mark.django_db(transaction=True)
def test_fr027_one_looks_for_all_who_wait_and_too_many_are_told_at_once(driver: Driver, monkeypatch) -> None:
    room = WaitingRoom(newest_entry, lambda: False, seats=3, every=0.02)
    monkeypatch.setattr(next_step, "ROOM", room)
    crew = [driver.cast.builder(f"waiter-{number}") for number in range(5)]
    counted = [0]

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        counted[0] += 1
        return execute(sql, params, many, context)

    def waits(executor: Executor) -> Any:
        with connection.execute_wrapper(counting):
            return ask(executor, 2)

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda one: in_a_thread(lambda: waits(one))(), crew))
    assert sorted(answer.crowded for answer in answers) == [False, False, False, True, True]
    # Each asks twice, however long it waits: when it comes, and once more when it sits down.
    assert room.looks > 20
    assert counted[0] <= 12 * len(crew)
    wait_for(lambda: not any(one.name == "waiting-room" for one in threading.enumerate()))


def ask(executor: Executor, seconds: int) -> Any:
    executor = Executor.objects.select_related("user").get(pk=executor.pk)
    return claim_next(
        executor=executor,
        actor=Actor.member(executor),
        wanted=Wanted(),
        seconds=seconds,
        clock=timezone.now,
    )


def wait_for(true: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.01)
