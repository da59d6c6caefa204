"""How many statements an act asks of the database: counted, never timed, and the same however much of the
plan is done.

Measured as an executor calls it: who acts is known, with their roles, and the queue has begun with the last
message, so that the act sends one of its own.
"""

from collections.abc import Callable

import pytest

from orchestrator.core.terms import ArtifactState, AttemptStatus, EventType, TaskStatus
from orchestrator.models import Attempt, HandoffArtifact, Step, Task, Wake, Workstream
from orchestrator.services.people.callers import Caller, caller_by_name
from orchestrator.services.review.gates import approve_gate
from orchestrator.services.work.claims import claim, report
from orchestrator.services.work.completions import complete
from orchestrator.services.work.failures import fail
from orchestrator.services.work.scheduling import run_round
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.services.statements import Statements, statements

#: The statements of each act, transaction control not counted, with few and with many tasks complete.
COUNTED = {"claim": 11, "report": 7, "complete": 16, "fail": 13, "sign": 14}
#: What a claim over REST adds: for who calls, what they may, the key, and the brief that it answers.
OVER_REST = 22

PLAN = b"""# Plan: Statements
## Stages
### Stage 1: all
##### Batch 01: behind
###### Thread 01: done
- D1: Done before
##### Batch 02: here
###### Thread 01: left
- A1: Complete me
  - Exit: tests pass

### Merge Point MP1
- **Trigger:** A1 complete
- **Reviewers:** reviewer

##### Batch 03: last
###### Thread 01: right
- B1: Fail me
"""


class Counter:
    """Runs acts on one workstream behind which `behind` tasks are complete, and counts their statements."""

    def __init__(self, driver: Driver, behind: int, commit: Callable[..., object]) -> None:
        self.driver, self.commit = driver, commit
        driver.start(PLAN)
        driver.do("D1")
        complete_behind(driver, behind)
        driver.cast.builder()
        self.counts: dict[str, Statements] = {}

    def caller(self) -> Caller:
        """Known as every entry point knows it, with the roles of its account."""
        return caller_by_name("builder-1")

    def count(self, name: str, act: Callable[[], object]) -> None:
        Wake.objects.update_or_create(workstream=self.driver.workstream, defaults={"waits": False})
        with statements() as seen, self.commit(execute=True):
            act()
        self.counts.setdefault(name, seen)

    def go_on(self) -> None:
        """Rounds without the workspace, in which the tasks behind have no files."""
        HandoffArtifact.objects.filter(state=ArtifactState.PENDING).update(state=ArtifactState.COMMITTED)
        while run_round(workstream_id=self.driver.workstream.pk, now=self.driver.tick()):
            pass

    def claim(self, key: str) -> int:
        caller, attempt = self.caller(), self.driver.attempt(key)
        self.count(
            "claim",
            lambda: claim(
                attempt_id=attempt.pk, executor=caller.executor, actor=caller.actor, now=self.driver.tick()
            ),
        )
        return Task.objects.get(pk=attempt.task_id).last_token

    def report(self, key: str, token: int) -> None:
        caller, attempt = self.caller(), self.driver.attempt(key).pk
        who = {"executor": caller.executor, "actor": caller.actor}
        now = self.driver.tick()
        self.count(
            "report", lambda: report(attempt_id=attempt, token=token, breadcrumb="Half done.", now=now, **who)
        )

    def complete(self, key: str, token: int) -> None:
        caller, attempt = self.caller(), self.driver.attempt(key).pk
        criterion = self.driver.task(key).step.criteria.get()
        self.count(
            "complete",
            lambda: complete(
                attempt_id=attempt,
                token=token,
                executor=caller.executor,
                actor=caller.actor,
                outcome="Done.",
                evidence={criterion.pk: "They pass."},
                outputs={"notes.md": b"# Notes\n"},
                now=self.driver.tick(),
            ),
        )

    def fail(self, key: str, token: int) -> None:
        caller, attempt = self.caller(), self.driver.attempt(key).pk
        who = {"executor": caller.executor, "actor": caller.actor}
        now = self.driver.tick()
        self.count("fail", lambda: fail(attempt_id=attempt, token=token, error="It broke.", now=now, **who))

    def sign(self, key: str) -> None:
        actor, gate = self.driver.cast.actor("reviewer"), self.driver.task(key).pk
        actor.roles()
        self.count("sign", lambda: approve_gate(task_id=gate, actor=actor, now=self.driver.tick()))


def complete_behind(driver: Driver, count: int) -> None:
    """So many tasks more in the batch before, each complete and handed over, as rounds and acts would
    leave them."""
    workstream, pattern = driver.reload(), driver.task("D1").step
    last = workstream.last_artifact
    steps = Step.objects.bulk_create(
        Step(
            version=pattern.version,
            thread=pattern.thread,
            position=place,
            run_index=place,
            batch_index=pattern.batch_index,
            key=f"E{place}",
            title="Done before",
        )
        for place in range(1, count + 1)
    )
    tasks = Task.objects.bulk_create(
        Task(
            workstream=workstream,
            step=step,
            status=TaskStatus.COMPLETE,
            thread=step.thread,
            batch_index=step.batch_index,
            run_index=step.run_index,
            position=step.position,
            created_at=NOON,
            updated_at=NOON,
        )
        for step in steps
    )
    attempts = Attempt.objects.bulk_create(
        Attempt(task=task, number=1, status=AttemptStatus.COMPLETED, queued_at=NOON, ended_at=NOON)
        for task in tasks
    )
    HandoffArtifact.objects.bulk_create(
        HandoffArtifact(
            workstream=workstream,
            sequence=last + place,
            attempt=attempt,
            event=EventType.ATTEMPT_COMPLETED,
            path=f"workstreams/{workstream.slug}/handoffs/{last + place}",
            body="{}",
            sha256="0" * 64,
            state=ArtifactState.COMMITTED,
            created_at=NOON,
        )
        for place, attempt in enumerate(attempts, start=1)
    )
    counts = {"last_artifact": last + count, "done_tasks": workstream.done_tasks + count}
    Workstream.objects.filter(pk=workstream.pk).update(**counts)
    Step.objects.filter(pk=pattern.pk).update(position=0)


def counted(driver: Driver, behind: int, commit: Callable[..., object]) -> dict[str, Statements]:
    counter = Counter(driver, behind, commit)
    token = counter.claim("A1")
    counter.report("A1", token)
    counter.complete("A1", token)
    counter.go_on()
    counter.sign("MP1")
    counter.go_on()
    counter.fail("B1", counter.claim("B1"))
    return counter.counts


@pytest.mark.parametrize("behind", [10, 2_000, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_no_act_asks_more_than_its_share(
    driver: Driver, django_capture_on_commit_callbacks: Callable[..., object], behind: int
) -> None:
    counts = counted(driver, behind, django_capture_on_commit_callbacks)
    for act, seen in counts.items():
        assert len(seen) == COUNTED[act], f"{act} with {behind} tasks complete: {seen}"
    assert counts.keys() == COUNTED.keys()


@pytest.mark.parametrize("behind", [0, 2_000])
def test_a_call_over_rest_adds_who_calls_its_key_and_the_answer(
    driver: Driver, django_capture_on_commit_callbacks: Callable[..., object], behind: int
) -> None:
    """The brief says where the task stands without reading the rest of its plan."""
    counter = Counter(driver, behind, django_capture_on_commit_callbacks)
    machine, attempt = Machine.of(driver.cast.builder()), driver.attempt("A1").pk
    counter.count("claim", lambda: machine.post(f"/api/attempts/{attempt}/claim", key="once"))
    assert len(counter.counts["claim"]) <= COUNTED["claim"] + OVER_REST, str(counter.counts["claim"])


def test_an_executor_whose_actor_is_not_known_has_its_roles_read_once(
    driver: Driver, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    counter = Counter(driver, 0, django_capture_on_commit_callbacks)
    token, held = counter.claim("A1"), driver.attempt("A1")
    who = {"attempt_id": held.pk, "token": token, "executor": counter.caller().executor}
    counter.count("report", lambda: report(breadcrumb="Half done.", now=driver.tick(), **who))
    assert len(counter.counts["report"]) == COUNTED["report"] + 1, str(counter.counts["report"])
    counter.count("fail", lambda: fail(error="It broke.", now=driver.tick(), **who))
    assert len(counter.counts["fail"]) == COUNTED["fail"] + 1, str(counter.counts["fail"])
