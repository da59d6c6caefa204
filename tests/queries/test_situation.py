"""The situation of an attempt says what the rows say, and what it builds on is what a round told it to
(FR-014)."""

from orchestrator.core.terms import AssignmentMode
from orchestrator.models import Attempt, Task, Workstream
from orchestrator.queries.handoff.situation import Situation, gate_situation, situation_of
from orchestrator.queries.handoff.upstream import Upstream
from orchestrator.services.people.blockers import declare_blocker
from orchestrator.services.people.threads import assign_thread
from tests.cast import Driver
from tests.services.statements import statements

#: A thread of steps, steps side by side, a need by name, a step that is skipped, and a gate.
PLAN = b"""# Plan: Everything a step may build on
## Stages
### Stage 1: all
##### Batch 01: first
###### Thread 01: one
- A1: First
  - Outcomes: passed, failed
- A2: Second
- A3: Beside
  - Parallel: yes
- A4: Beside too
  - Parallel: yes
- A5: Behind both
###### Thread 02: two
- B1: Other
##### Batch 02: second
###### Thread 01: one
- C1: Repair
  - When: A1 is failed
- C2: After it
###### Thread 02: two
- D1: Needs by name (needs B1)

### Merge Point MP1
- **Trigger:** D1 complete
- **Reviewers:** reviewer
"""


def situation(driver: Driver, key: str, executor: int = 0) -> Situation:
    found = situation_of(Workstream.objects.get(pk=driver.workstream.pk), driver.attempt(key).pk, executor)
    assert found is not None
    return found


def compare(attempt: Attempt) -> None:
    """With what Django reads of the same rows."""
    workstream = Workstream.objects.get(pk=attempt.task.workstream_id)
    found = situation_of(workstream, attempt.pk)
    task = Task.objects.select_related("step__thread__batch__stage").get(pk=attempt.task_id)
    for read, row in ((found.attempt, attempt), (found.task, task), (found.step, task.step)):
        columns = [field.attname for field in row._meta.concrete_fields]
        assert {name: getattr(read, name) for name in columns} == {
            name: getattr(row, name) for name in columns
        }
    upstream = Upstream(workstream)
    expected = sorted(artifact.path for artifact in upstream.results(task.step))
    assert sorted(artifact.path for artifact in found.builds_on()) == expected
    newest = upstream.newest([task.pk]).get(task.pk)
    assert (found.newest and found.newest.pk) == (newest and newest.pk)


def test_it_says_what_the_rows_say_wherever_the_plan_is(driver: Driver) -> None:
    driver.start(PLAN)
    seen = 0
    while ready := driver.ready():
        for key in ready:
            compare(driver.attempt(key))
            driver.sign(key) if driver.task(key).step.is_gate else driver.do(key)
            compare(driver.attempt(key))
            seen += 1
    assert seen == 9
    assert driver.task("C1").status == "skipped"
    assert [artifact.path[-30:] for artifact in situation(driver, "C2").builds_on()] != []


def test_what_it_says_is_asked_for_in_one_statement(driver: Driver) -> None:
    driver.start(PLAN)
    driver.claim("A1")
    workstream, pk = driver.reload(), driver.attempt("A1").pk
    with statements() as seen:
        found = situation_of(workstream, pk)
        assert found.assignment.executor.name == "builder-A1"
        assert found.step.thread.batch.stage.version_id == found.step.version.pk == workstream.version.pk
        assert str(found.step.version.workflow) == "Everything a step may build on"
        assert str(found.attempt) == "A1 attempt 1"
        assert found.assignment.claimed_at.tzinfo is not None
    assert len(seen) == 1, str(seen)


def test_it_knows_blockers_holders_and_who_alone_may_claim(driver: Driver) -> None:
    driver.start(PLAN)
    before = situation(driver, "A1")
    assert (before.blocked, before.assignment, before.sole_executor, before.busy_with) == (
        False,
        None,
        None,
        None,
    )
    held = driver.claim("B1")
    declare_blocker(
        task_id=driver.task("A1").pk,
        kind="other",
        note="Wait.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    assign_thread(
        workstream_id=driver.workstream.pk,
        thread_id=driver.task("A1").step.thread_id,
        executor=held.executor.name,
        mode=AssignmentMode.ASSIGNED,
        reason="It knows the code.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    after = situation(driver, "A1", held.executor.pk)
    assert (after.blocked, after.sole_executor, after.busy_with) == (True, held.executor.pk, held.attempt_id)


def test_there_is_none_of_what_is_not_there(driver: Driver) -> None:
    workstream = driver.start(PLAN)
    assert situation_of(workstream, 10**6) is None
    assert gate_situation(workstream, driver.task("MP1").pk) is None
    assert gate_situation(workstream, driver.task("A1").pk) is not None
