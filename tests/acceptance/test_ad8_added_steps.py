"""AD-8: a running step adds steps within the limit that the reviewed plan gives it.

A new version, at once in force.
"""

import asyncio
import json

import pytest
from django.urls import reverse

from orchestrator.core.terms import TaskStatus, VersionStatus
from orchestrator.models import HistoryEntry, Task, WorkflowVersion
from orchestrator.services.plans import plans
from orchestrator.services.work import rework
from tests.cast import Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.verified import first_breach, state_problems
from tests.web.pages import signed_in, words

PLAN = b"""---
domain: quality
---
# Plan: Migrate the shop

### Stage 1: Move

##### Batch 01: look

###### Thread 01: look
- Role: contributor
- A1: Find what has to move
  - Exit: a list of what has to move
  - May add: 3
- A2: Switch over
  - Exit: the new one answers

###### Thread 02: beside
- Role: contributor
- B1: Tell the customers
  - Exit: they are told

##### Gate: Sign-off
- Kind: review
- Reviewers: reviewer
"""
TWO = "Move the orders | orders are there\nMove the carts | carts are there"


def steps_of(driver: Driver, key: str) -> str:
    return f"/api/attempts/{driver.attempt(key).pk}/steps"


def body(driver: Driver, tasks: str = TWO, reason: str = "Two tables were found.") -> dict[str, object]:
    return {"token": driver.attempt("A1").assignment.token, "tasks": tasks, "reason": reason}


@pytest.fixture
def machine(driver: Driver) -> Machine:
    """An executor that holds A1."""
    driver.start(PLAN)
    executor = driver.cast.builder("mover")
    driver.claim("A1", executor)
    return Machine.of(executor)


def statuses(driver: Driver) -> dict[str, str]:
    rows = Task.objects.filter(workstream=driver.workstream).order_by("step__position", "step__key")
    return dict(rows.values_list("step__key", "status"))


def test_ad8_added_steps_are_in_force_at_once_and_are_done_next(driver: Driver, machine: Machine) -> None:
    criteria = list(driver.task("A1").step.criteria.values_list("pk", flat=True))
    status, added = machine.post(steps_of(driver, "A1"), body(driver))
    assert (status, added) == (
        200,
        {
            "version": 2,
            "steps": [
                {"key": "A1-1", "title": "Move the orders"},
                {"key": "A1-2", "title": "Move the carts"},
            ],
            "left": 1,
        },
    )
    version = driver.reload().version
    assert (version.number, version.status, version.change_reason) == (
        2,
        VersionStatus.APPROVED,
        "Two tables were found.",
    )
    assert "- **A1-1:** Move the orders\n  - Exit: orders are there\n  - Added by: A1\n" in version.source
    assert WorkflowVersion.objects.get(number=1).status == VersionStatus.SUPERSEDED
    assert driver.task("A1").status == TaskStatus.ACTIVE, "the step that adds goes on"
    evidence = {str(pk): "listed" for pk in criteria}
    done = machine.post(
        f"/api/attempts/{driver.attempt('A1').pk}/complete",
        {"token": driver.attempt("A1").assignment.token, "evidence": evidence},
    )
    assert done[0] == 200, "the criteria of its claim are still the ones to prove"
    driver.advance()
    driver.do("B1")
    assert driver.ready() == ["A1-1"]
    driver.do("A1-1")
    assert driver.ready() == ["A1-2"]
    assert driver.task("G-sign-off").status == TaskStatus.PENDING, "the gate waits for the added steps too"
    assert driver.finish().finished_at is not None
    entry = HistoryEntry.objects.get(action="steps added")
    assert (entry.subject, entry.reason, entry.actor) == (
        "A1 attempt 1",
        "Two tables were found.",
        "mover (agent of carl)",
    )
    assert json.loads(entry.leaf)["data"]["added"] == ["A1-1", "A1-2"]
    assert first_breach() is None
    assert state_problems(driver.reload()) == []


def test_ad8_the_limit_counts_what_was_ever_added(driver: Driver, machine: Machine) -> None:
    assert machine.post(steps_of(driver, "A1"), body(driver))[0] == 200
    status, refusal = machine.post(steps_of(driver, "A1"), body(driver))
    assert (status, refusal["code"], refusal["details"]["left"]) == (409, "limit-reached", 1)
    assert "has 1 left, not 2" in refusal["message"]
    driver.complete("A1")
    rework.send_back(
        task_id=driver.task("A1").pk,
        reason="Look again.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    driver.advance()
    driver.claim("A1", driver.cast.builder("second"))
    second = Machine.of(driver.cast.builder("second"))
    assert second.post(steps_of(driver, "A1"), body(driver))[1]["code"] == "limit-reached"
    assert second.post(steps_of(driver, "A1"), body(driver, "A7: One more"))[1]["left"] == 0
    assert driver.task("A7").step.added_by == "A1"
    assert WorkflowVersion.objects.count() == 3


def test_ad8_added_steps_add_nothing_and_others_neither(driver: Driver, machine: Machine) -> None:
    machine.post(steps_of(driver, "A1"), body(driver))
    driver.complete("A1")
    driver.claim("A1-1", driver.cast.builder("third"))
    third = Machine.of(driver.cast.builder("third"))
    given = body(driver) | {"token": driver.attempt("A1-1").assignment.token}
    status, refusal = third.post(steps_of(driver, "A1-1"), given)
    assert (status, refusal["code"]) == (409, "limit-reached")
    assert "A1-1 was added by A1" in refusal["message"]
    driver.claim("B1", driver.cast.builder("fourth"))
    given = body(driver) | {"token": driver.attempt("B1").assignment.token}
    status, refusal = Machine.of(driver.cast.builder("fourth")).post(steps_of(driver, "B1"), given)
    assert (status, refusal["code"], refusal["details"]["left"]) == (409, "limit-reached", 0)
    assert WorkflowVersion.objects.count() == 2


def test_ad8_the_same_call_twice_adds_once(driver: Driver, machine: Machine) -> None:
    first = machine.call("POST", steps_of(driver, "A1"), body(driver), key="add-1")
    assert machine.call("POST", steps_of(driver, "A1"), body(driver), key="add-1") == first
    assert (first[0], WorkflowVersion.objects.count(), len(statuses(driver))) == (200, 2, 6)


def test_ad8_a_version_that_people_decide_on_is_not_swallowed(driver: Driver, machine: Machine) -> None:
    plans.submit_plan(
        source=PLAN.replace(b"B1: Tell", b"B1: Inform"),
        source_name="PLAN.md",
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
        workstream=driver.reload(),
        change_reason="Better word.",
    )
    status, refusal = machine.post(steps_of(driver, "A1"), body(driver))
    assert (status, refusal["code"], refusal["details"]["version"]) == (409, "wrong-state", 2)
    assert WorkflowVersion.objects.get(number=2).status == VersionStatus.IN_REVIEW


def test_ad8_braces_that_name_no_parameter_are_text_in_added_steps(driver: Driver, machine: Machine) -> None:
    status, answer = machine.post(steps_of(driver, "A1"), body(driver) | {"tasks": "C9: Replace {{x}}"})
    assert status == 200, answer
    assert [step["key"] for step in answer["steps"]] == ["C9"]
    assert driver.task("C9").step.title == "Replace {{x}}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": " "}, "reason-missing"),
        ({"tasks": " \n"}, "invalid-input"),
        ({"tasks": "Do it (needs A2)"}, "invalid-input"),
        ({"tasks": "A2: Twice"}, "invalid-input"),
        ({"token": 99}, "stale-token"),
    ],
)
def test_ad8_what_cannot_be_added_leaves_nothing_behind(
    driver: Driver, machine: Machine, change: dict[str, object], code: str
) -> None:
    before = (WorkflowVersion.objects.count(), HistoryEntry.objects.count(), statuses(driver))
    assert machine.post(steps_of(driver, "A1"), body(driver) | change)[1]["code"] == code
    assert (WorkflowVersion.objects.count(), HistoryEntry.objects.count(), statuses(driver)) == before


def test_ad8_a_person_adds_steps_on_the_page(driver: Driver) -> None:
    driver.start(PLAN)
    carl = signed_in(driver.cast.contributor)
    page = reverse("task", args=[driver.reload().uuid, "A1"])
    assert "Add steps behind this one" not in words(carl.get(page)), "only whoever holds it adds"
    carl.post(f"{page}claim", {"attempt": driver.attempt("A1").pk})
    assert "The plan lets this step add 3 more." in words(carl.get(page))
    held = driver.attempt("A1")
    typed = {"attempt": held.pk, "token": held.assignment.token, "tasks": TWO, "reason": ""}
    refused = carl.post(f"{page}add-steps", typed)
    assert refused.status_code == 422
    assert "Move the carts" in refused.content.decode(), "what was typed is kept"
    done = carl.post(f"{page}add-steps", typed | {"reason": "Found more."}, follow=True)
    assert "Added A1-1, A1-2 behind A1 with version 2 of the plan." in words(done)
    assert "The plan lets this step add 1 more." in words(done)
    assert "May add" in words(carl.get(f"/plans/{driver.reload().version.workflow.slug}/v2/"))


@pytest.mark.django_db(transaction=True)
def test_ad8_an_agent_adds_steps_over_mcp(driver: Driver) -> None:
    driver.start(PLAN)
    executor = driver.cast.builder("mover")
    secret, attempt = secret_of(executor), driver.attempt("A1").pk

    async def agent() -> None:
        async with joined(secret) as session:
            token = (await session.ok("claim_task", attempt_id=attempt))["token"]
            added = await session.ok(
                "add_steps", attempt_id=attempt, token=token, tasks=TWO, reason="Found two."
            )
            assert [step["key"] for step in added["steps"]] == ["A1-1", "A1-2"]
            refusal = await session.refused(
                "add_steps", attempt_id=attempt, token=token, tasks=TWO, reason="More."
            )
            assert refusal["code"] == "limit-reached"

    asyncio.run(agent())
    assert driver.reload().version.number == 2
