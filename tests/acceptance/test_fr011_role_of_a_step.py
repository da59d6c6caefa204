"""FR-011, WF-4: a step's `Role:` is asked at the claim, and its work is offered to nobody else."""

from collections.abc import Iterable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from orchestrator.adapters.registry import registered
from orchestrator.core.people.roles import DOERS, WORKING
from orchestrator.core.terms import AttemptStatus, ExecutorKind, Role
from orchestrator.models import Attempt, Executor, Step
from orchestrator.processes.local_executor import LocalExecutor
from orchestrator.queries.base.roles import doers_of, may_do
from orchestrator.queries.work.continuing import to_continue
from orchestrator.queries.work.work import queued_attempts
from orchestrator.services.people.executors import register_executor
from tests.acceptance.accounts import tables, take_roles_away
from tests.cast import NOON, Driver, UserFactory
from tests.machines import Machine
from tests.web.pages import signed_in, words

#: A lane for each way of naming a role; the lane says one, the step may say another.
LANES = {
    "A1": ("contributor", ""),
    "B1": ("reviewer", ""),
    "C1": ("contributor", "approver"),
    "D1": ("initiator", ""),
    "E1": ("", ""),
    "F1": ("king", ""),
    "G1": ("reviewer", "observer"),
}
#: What each role may claim: a step without a role, or with one that does no work, is for every working role.
FREE = ["E1", "F1", "G1"]
MAY = {
    Role.CONTRIBUTOR: ["A1", *FREE],
    Role.REVIEWER: ["B1", *FREE],
    Role.APPROVER: ["C1", *FREE],
    Role.INITIATOR: ["D1"],
    Role.OBSERVER: [],
}


def plan(lanes: dict[str, tuple[str, str]], extra: str = "") -> bytes:
    text = "# Plan: Roles\n\n### Stage 1: Build\n\n##### Batch 01: parts\n"
    for number, (key, (lane, step)) in enumerate(lanes.items(), start=1):
        text += f"\n###### Thread {number:02}: lane {key.lower()}\n- Files: `{key.lower()}/**`\n"
        text += f"- Role: {lane}\n" if lane else ""
        text += (
            f"- {key}: Do {key}\n  - Exit: {key} is done\n" + (f"  - Role: {step}\n" if step else "") + extra
        )
    return text.encode()


def holder_of(*roles: Role) -> tuple[User, Executor, Machine]:
    name = "-".join(["holds", *roles])
    user = UserFactory(username=f"user-{name}", roles=roles)
    agent = register_executor(name=name, kind=ExecutorKind.AGENT, user=user, now=NOON)
    return user, agent, Machine.of(agent)


def offered(machine: Machine) -> list[str]:
    return sorted(task["key"] for task in machine.get("/api/tasks/?claimable=true")[1]["items"])


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_fr011_a_claim_asks_for_the_role_of_the_step(driver: Driver, role: Role) -> None:
    driver.start(plan(LANES))
    user, _, machine = holder_of(role)
    browser = signed_in(user)
    inbox = words(browser.get("/"))
    assert offered(machine) == sorted(MAY[role])
    assert sorted(key for key in LANES if f"Do {key}" in inbox) == sorted(MAY[role])
    for key in LANES:
        if key in MAY[role]:
            continue
        before = tables()
        status, answer = machine.post(f"/api/attempts/{driver.attempt(key).pk}/claim")
        assert (status, answer["code"]) == (403, "not-allowed"), key
        assert "needs the role" in answer["message"]
        page = f"/workstreams/{driver.reload().uuid}/tasks/{key}"
        assert browser.post(f"{page}/claim", {"attempt": driver.attempt(key).pk}).status_code == 403
        assert tables() == before, "not even an executor is registered for somebody who may not claim"
    for key in MAY[role]:
        held = machine.post(f"/api/attempts/{driver.attempt(key).pk}/claim")
        assert held[0] == 200, held
        body = {"token": held[1]["token"], "error": "Only tried."}
        assert machine.post(f"/api/attempts/{driver.attempt(key).pk}/fail", body)[0] == 200


@pytest.mark.django_db
def test_fr011_an_administrator_does_every_step(driver: Driver) -> None:
    driver.start(plan(LANES))
    root = register_executor(name="by-hand", kind=ExecutorKind.PERSON, user=driver.cast.admin, now=NOON)
    assert offered(Machine.of(root)) == sorted(LANES)


@pytest.mark.django_db
def test_fr011_several_roles_add_up(driver: Driver) -> None:
    driver.start(plan(LANES))
    _, _, machine = holder_of(Role.INITIATOR, Role.REVIEWER)
    assert offered(machine) == sorted(["D1", "B1", *FREE])


@pytest.mark.django_db
def test_fr011_a_role_that_is_taken_away_ends_the_work_under_it(driver: Driver) -> None:
    driver.start(plan(LANES))
    user, _, machine = holder_of(Role.REVIEWER)
    attempt = driver.attempt("B1").pk
    token = machine.post(f"/api/attempts/{attempt}/claim")[1]["token"]
    take_roles_away(user, Role.CONTRIBUTOR)
    before = tables()
    for act, body in {
        "report": {"breadcrumb": "x"},
        "complete": {"evidence": {}},
        "fail": {"error": "x"},
    }.items():
        assert machine.post(f"/api/attempts/{attempt}/{act}", {"token": token} | body)[0] == 403
    assert machine.post(f"/api/attempts/{attempt}/claim")[0] == 403
    assert tables() == before


@pytest.mark.django_db
def test_fr011_local_executors_take_what_their_account_may_do(driver: Driver) -> None:
    driver.start(plan(LANES, extra="  - Tool: pytest\n"))
    _, agent, _ = holder_of(Role.REVIEWER)
    queued = queued_attempts(registered(), agent).values_list("task__step__key", flat=True)
    assert sorted(queued) == sorted(MAY[Role.REVIEWER])
    _, onlooker, _ = holder_of(Role.OBSERVER)
    assert LocalExecutor(onlooker, timezone.now, lambda: True).turn() is False
    assert not Attempt.objects.exclude(status=AttemptStatus.QUEUED).exists()


@pytest.mark.django_db
def test_fr011_interrupted_work_is_offered_to_who_may_go_on_with_it(driver: Driver) -> None:
    driver.start(plan(LANES))
    _, _, machine = holder_of(Role.REVIEWER)
    for key in ("B1", "E1"):
        attempt = driver.attempt(key).pk
        token = machine.post(f"/api/attempts/{attempt}/claim")[1]["token"]
        machine.post(f"/api/attempts/{attempt}/fail", {"token": token, "error": "x"})
        assert machine.post(f"/api/tasks/{driver.task(key).pk}/requeue", {"reason": "again"})[0] == 200
    driver.advance()
    _, contributor, _ = holder_of(Role.CONTRIBUTOR)
    _, reviewer, _ = holder_of(Role.REVIEWER, Role.OBSERVER)
    assert keys(to_continue(contributor)) == ["E1"]
    assert keys(to_continue(reviewer)) == ["B1", "E1"]


def keys(tasks: Iterable[object]) -> list[str]:
    return sorted(task.step.key for task in tasks)  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_fr011_the_task_page_says_which_role_a_claim_needs(driver: Driver) -> None:
    driver.start(plan(LANES))
    page = f"/workstreams/{driver.reload().uuid}/tasks/B1/"
    assert "You need the role reviewer" in words(signed_in(driver.cast.contributor).get(page))
    assert "You need the role reviewer" not in words(signed_in(driver.cast.reviewer).get(page))


@pytest.mark.django_db
def test_fr011_the_lists_and_the_claim_go_by_one_rule(driver: Driver) -> None:
    """`may_do` is `doers` in SQL, for every role and every way of naming one."""
    driver.start(plan(LANES))
    for role in Role:
        by_rule = {step.key for step in Step.objects.select_related("thread") if role in doers_of(step)}
        found = Attempt.objects.filter(may_do([role], "task__")).values_list("task__step__key", flat=True)
        assert set(found) == by_rule
    assert WORKING < DOERS
    assert Role.OBSERVER not in DOERS
