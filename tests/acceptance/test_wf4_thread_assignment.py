"""WF-4: a thread can be assigned to one executor, which alone claims there, or preferred, which is offered it
first.
"""

import pytest

from orchestrator.core.errors import AssignedElsewhere
from orchestrator.models import Executor, HistoryEntry, ThreadAssignment
from orchestrator.queries.work.work import queued_attempts
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import control, signed_in, words


@pytest.fixture
def first(driver: Driver) -> Executor:
    return driver.cast.builder("first")


@pytest.fixture
def second(driver: Driver) -> Executor:
    return driver.cast.builder("second")


def keep(
    driver: Driver, executor: Executor, mode: str = "assigned", key: str = "A1"
) -> tuple[int, list[dict]]:
    thread = driver.task(key).step.thread_id
    body = {"executor": executor.name, "mode": mode, "reason": "It knows the ledger."}
    place = f"/api/workstreams/{driver.reload().uuid}/threads/{thread}/assign"
    return Machine.of(executor).post(place, body)


def offered(executor: Executor) -> list[str]:
    return [task["key"] for task in Machine.of(executor).get("/api/tasks/?claimable=true")[1]["items"]]


def local(executor: Executor) -> list[str]:
    """What a local executor of that name would try to claim."""
    return [attempt.task.step.key for attempt in queued_attempts(["", "pytest"], executor)]


def test_wf4_only_the_assigned_executor_claims_in_the_thread(driver: Driver, first, second) -> None:
    driver.start()
    status, threads = keep(driver, first)
    assert status == 200
    assert [(t["thread"], t["executor"], t["mode"]) for t in threads][:2] == [
        ("01: ledger", "first", "assigned"),
        ("02: gateway", "", ""),
    ]
    assert (offered(first), local(first)) == (["A1", "B1"], ["A1", "B1"])
    assert (offered(second), local(second)) == (["B1"], ["B1"])
    status, refused = Machine.of(second).post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    assert (status, refused["code"], refused["details"]["executor"]) == (409, "assigned-elsewhere", "first")
    with pytest.raises(AssignedElsewhere, match="assigned to first"):
        driver.claim("A1", second)
    driver.claim("A1", first)


def test_wf4_threads_are_listed_however_many_have_work_left(driver: Driver, first) -> None:
    """Two were once read as a status and a body."""
    driver.start()
    place = f"/api/workstreams/{driver.reload().uuid}/threads/"

    def listed() -> list[str]:
        status, threads = Machine.of(first).get(place)
        assert status == 200
        return [thread["thread"] for thread in threads]

    assert listed() == ["01: ledger", "02: gateway", "01: refunds", "01: docs"]
    driver.do("A1")
    assert listed() == ["01: ledger", "02: gateway", "01: refunds", "01: docs"], "A2 is left"
    driver.do("B1")
    assert listed() == ["01: ledger", "01: refunds", "01: docs"]
    driver.do("A2")
    assert listed() == ["01: refunds", "01: docs"], "and the thread of a gate is nobody's to be kept"
    driver.sign("MP1")
    driver.do("C1")
    assert listed() == ["01: docs"]
    driver.do("D1")
    assert listed() == []


def test_wf4_the_preferred_executor_is_offered_the_work_first(driver: Driver, first, second) -> None:
    driver.start()
    keep(driver, first, "preferred")
    assert (offered(first), offered(second)) == (["A1", "B1"], ["B1"])
    driver.claim("B1", first)
    assert offered(second) == ["A1"]
    driver.complete("B1")
    assert offered(second) == []
    driver.claim("A1", second)
    assert driver.task("A1").status == "active"


def test_wf4_a_queued_task_says_for_whom_it_waits(driver: Driver, first) -> None:
    workstream = driver.start()
    keep(driver, first)
    said = "waits for first (agent of carl), to which its thread is assigned"
    person = signed_in(driver.cast.observer)
    assert said in words(person.get(f"/workstreams/{workstream.uuid}/"))
    task = signed_in(driver.cast.contributor).get(f"/workstreams/{workstream.uuid}/tasks/A1/")
    assert "Its thread is assigned to first (agent of carl)." in words(task)
    assert "disabled" in control(task, "claim")
    tasks = Machine.of(first).get(f"/workstreams/{workstream.uuid}/")[1]["tasks"]
    assert tasks[0]["explanation"]["sentence"] == f"ready, {said}"


def test_wf4_assignments_stand_in_the_registry(driver: Driver, first, second, files: Files) -> None:
    driver.start()
    keep(driver, first)
    driver.claim("B1", second)
    driver.advance()
    (stream,) = files.json("workstreams/index.json")["streams"]
    (kept,) = stream["thread_assignments"]
    assert (kept["stage"], kept["batch"], kept["thread"]) == (1, "01", "01")
    assert (kept["agent"], kept["mode"]) == ("first", "assigned")
    assert [(a["task"], a["agent"]) for a in stream["assignments"]] == [("B1", "second")]
    tasks = files.json("workstreams/card-refunds/tasks.json")["tasks"]
    assert {task["id"]: task["assigned_agent"] for task in tasks[:3]} == {
        "A1": "first",
        "A2": "first",
        "B1": "second",
    }


def test_wf4_people_assign_and_free_threads_on_the_page(driver: Driver, first, second) -> None:
    workstream = driver.start()
    thread = driver.task("A1").step.thread_id
    person = signed_in(driver.cast.reviewer)
    acts = f"/workstreams/{workstream.uuid}/acts"
    form = {"thread": thread, "executor": "first", "mode": "assigned", "reason": "It knows the ledger."}
    page = person.post(f"{acts}/assign", form, follow=True)
    assert "assigned to first (agent of carl) by rita" in words(page)
    assert person.post(f"{acts}/assign", form).status_code == 409
    for wrong in ({"reason": ""}, {"executor": "nobody"}, {"mode": "loved"}, {"thread": "x"}):
        assert person.post(f"{acts}/assign", form | wrong).status_code == 422, wrong
    person.post(f"{acts}/assign", form | {"executor": "second"})
    assert person.post(f"{acts}/unassign", {"thread": thread, "reason": "Both are fine."}).status_code == 302
    assert person.post(f"{acts}/unassign", {"thread": thread, "reason": "Again."}).status_code == 409
    assert not ThreadAssignment.objects.filter(ended_at=None).exists()
    entries = HistoryEntry.objects.filter(action__startswith="thread ").order_by("sequence")
    assert [(e.action, e.actor) for e in entries] == [
        ("thread assigned", "rita"),
        ("thread assigned", "rita"),
        ("thread unassigned", "rita"),
    ]
    driver.claim("A1", second)


def test_wf4_an_observer_assigns_nothing(driver: Driver, first) -> None:
    workstream = driver.start()
    form = {
        "thread": driver.task("A1").step.thread_id,
        "executor": "first",
        "mode": "assigned",
        "reason": "So.",
    }
    page = signed_in(driver.cast.observer).post(f"/workstreams/{workstream.uuid}/acts/assign", form)
    assert page.status_code == 403
    other = Driver(driver.cast)
    other.start()
    form["thread"] = other.task("A1").step.thread_id
    page = signed_in(driver.cast.reviewer).post(f"/workstreams/{workstream.uuid}/acts/assign", form)
    assert page.status_code == 404


def test_wf4_an_assignment_outlives_a_new_version_of_the_plan(driver: Driver, first, second) -> None:
    workstream = driver.start()
    keep(driver, first)
    person, approver = signed_in(driver.cast.reviewer), signed_in(driver.cast.approver)
    stage = {
        "name": "gaps",
        "tasks": "Close the gap | it is closed",
        "reason": "Something is missing.",
        "gate": "",
    }
    assert person.post(f"/workstreams/{workstream.uuid}/new-stage/", stage).status_code == 302
    version = workstream.version.workflow.versions.latest("number")
    decide = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    slug = version.workflow.slug
    assert approver.post(f"/plans/{slug}/v{version.number}/decide", decide).status_code == 302
    driver.advance()
    assert driver.reload().version == version
    with pytest.raises(AssignedElsewhere):
        driver.claim("A1", second)
    assert offered(second) == ["B1"]
