"""FR-016: a migration can be rolled back; nothing is deleted, and work goes on under the version before."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import MigrationImpossible, MissingReason, NotAllowed, WrongState
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, HistoryEntry, Migration, Task, ThreadAssignment
from orchestrator.queries.changes.migrations import last_migration
from orchestrator.services.changes.migration import migrate_workstream
from orchestrator.services.changes.roll_back import roll_back
from orchestrator.services.work.failures import requeue
from tests.acceptance.test_ec4_mapping import MERGED, REDEFINED, RENAMED, SPLIT, WITHOUT_A1
from tests.acceptance.versions import GROWN, ONE, approve, next_version, standing
from tests.cast import Cast, Driver
from tests.machines import Machine
from tests.rolled_back import around_an_example
from tests.verified import state_problems
from tests.web.pages import signed_in, words

CHANGES = [
    (RENAMED, StepMapping(("A1",), ("A7",))),
    (REDEFINED, StepMapping(("A1",), ("A1",), redo=True)),
    (REDEFINED, StepMapping(("A1",), ("A1",), redo=False)),
    (SPLIT, StepMapping(("A1",), ("A1a", "A1b"), redo=False)),
    (MERGED, StepMapping(("A1", "A2"), ("A3",), redo=False)),
    (WITHOUT_A1, StepMapping(("A1",), (), reason="The bank does it.")),
    (GROWN, None),
]


@pytest.fixture
def under_way(driver: Driver) -> Driver:
    driver.start(ONE)
    driver.do("A1")
    return driver


def back(driver: Driver, reason: str = "It was a mistake.") -> Migration:
    latest = last_migration(driver.reload())
    assert latest is not None
    done = roll_back(
        migration_id=latest.pk, reason=reason, actor=driver.cast.actor("approver"), now=driver.tick()
    )
    driver.reload()
    return done


def migrate(driver: Driver, source: bytes, line: StepMapping | None) -> None:
    approve(driver, next_version(driver, source), *([line] if line else []))


def of_version_one(driver: Driver) -> dict[str, tuple[int, str, tuple[str, ...]]]:
    """What stands in version 1, without attempts that were only queued: the next round launches anew. With
    its attempt a gate goes into review, so one that waits for a signature counts as one that is to be
    launched."""
    return {
        key: (
            rework,
            TaskStatus.PENDING if status == TaskStatus.REVIEW else status,
            tuple(one for one in attempts if one not in {"queued", "cancelled"}),
        )
        for key, (rework, status, attempts) in standing(driver.reload()).items()
        if key.endswith("@1")
    }


def test_fr016_a_gate_that_waited_for_a_signature_does_so_again_after_the_next_round(driver: Driver) -> None:
    driver.start(ONE)
    driver.do("A1", "B1", "A2")
    assert driver.task("G-g1").status == TaskStatus.REVIEW
    migrate(driver, REDEFINED, StepMapping(("A1",), ("A1",), redo=True))
    back(driver)
    driver.advance()
    assert driver.task("G-g1").status == TaskStatus.REVIEW
    assert state_problems(driver.reload()) == []


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fr016_a_roll_back_at_once_restores_the_tables(db: None, cast: Cast, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, override_settings(WORKSPACE_DIR=Path(folder)), around_an_example():
        _there_and_back(Driver(cast), data)
        transaction.set_rollback(True)


def _there_and_back(driver: Driver, data: st.DataObject) -> None:
    driver.start(ONE)
    _work(driver, data)
    before = of_version_one(driver)
    source, line = data.draw(st.sampled_from(CHANGES))
    version = next_version(driver, source)
    try:
        approve(driver, version, *([line] if line else []))
    except MigrationImpossible:
        return
    blocked = any(status == TaskStatus.BLOCKED for _, status, _ in before.values())
    if not blocked and data.draw(st.booleans()):
        driver.advance()
    back(driver)
    assert of_version_one(driver) == before
    assert state_problems(driver.reload()) == []
    for task in Task.objects.filter(workstream=driver.workstream, status=TaskStatus.BLOCKED):
        requeue(task_id=task.pk, reason="Again.", actor=driver.cast.actor("contributor"), now=driver.tick())
    driver.advance()
    assert driver.finish().finished_at is not None, standing(driver.reload())
    assert state_problems(driver.reload()) == []


def _work(driver: Driver, data: st.DataObject) -> None:
    """A few steps, each completed or failed."""
    for _ in range(data.draw(st.integers(0, 4))):
        work = [key for key in driver.ready() if not driver.task(key).step.is_gate]
        if not work:
            return
        key = data.draw(st.sampled_from(work))
        driver.claim(key)
        (driver.complete if data.draw(st.booleans()) else driver.fail)(key)


def test_fr016_an_added_task_is_cancelled_with_its_attempts_and_comes_back_with_the_next_migration(
    under_way: Driver,
) -> None:
    migrate(under_way, GROWN, None)
    under_way.advance()
    under_way.finish()
    version = under_way.reload().version
    assert under_way.task("E1").status == TaskStatus.COMPLETE
    back(under_way)
    assert under_way.task("E1").status == TaskStatus.CANCELLED
    assert under_way.attempt("E1").status == AttemptStatus.COMPLETED
    assert under_way.reload().finished_at is not None, "version 1 is done"
    migrate_workstream(
        workstream_id=under_way.reload().pk,
        version_id=version.pk,
        reason="It was none.",
        actor=under_way.cast.actor("approver"),
        now=under_way.tick(),
    )
    under_way.reload()
    assert under_way.task("E1").status == TaskStatus.PENDING
    assert Task.objects.filter(workstream=under_way.workstream, step__key="E1").count() == 1
    under_way.advance()
    assert under_way.ready() == ["E1"]
    assert under_way.attempt("E1").number == 2
    assert state_problems(under_way.reload()) == []


def test_fr016_what_was_done_since_stands(under_way: Driver) -> None:
    migrate(under_way, REDEFINED, StepMapping(("A1",), ("A1",), redo=True))
    under_way.advance()
    under_way.do("B1", "A1")
    back(under_way)
    assert under_way.task("B1").status == TaskStatus.COMPLETE
    assert under_way.task("A1").status == TaskStatus.COMPLETE
    assert under_way.task("A1").step.title == "Ledger entries for refunds"
    assert under_way.task("A1").attempts.filter(status=AttemptStatus.COMPLETED).count() == 2


def test_fr016_a_running_added_step_is_not_preempted(under_way: Driver) -> None:
    migrate(under_way, SPLIT, StepMapping(("A1",), ("A1a", "A1b"), redo=False))
    under_way.advance()
    under_way.claim("A1b")
    with pytest.raises(MigrationImpossible, match=r"A1b: builder-A1b \(agent of carl\) runs it"):
        back(under_way)
    assert under_way.reload().version.number == 2
    assert Migration.objects.count() == 1


def test_fr016_only_the_latest_migration_is_rolled_back_and_only_once(under_way: Driver) -> None:
    migrate(under_way, RENAMED, StepMapping(("A1",), ("A7",)))
    first = Migration.objects.get()
    grown = RENAMED.replace(b"C1: Refund", b"C2: Refund")
    migrate(under_way, grown, StepMapping(("C1",), ("C2",)))
    approver = under_way.cast.actor("approver")
    with pytest.raises(WrongState, match="latest"):
        roll_back(migration_id=first.pk, reason="Wrong.", actor=approver, now=under_way.tick())
    undone = back(under_way)
    assert (undone.rolls_back_id, under_way.reload().version.number) == (
        Migration.objects.order_by("pk")[1].pk,
        2,
    )
    with pytest.raises(WrongState):
        roll_back(migration_id=undone.pk, reason="Wrong.", actor=approver, now=under_way.tick())
    assert back(under_way).rolls_back_id == first.pk
    assert under_way.reload().version.number == 1
    assert state_problems(under_way.reload()) == []


def test_fr016_a_roll_back_needs_an_approver_and_a_reason(under_way: Driver) -> None:
    migrate(under_way, RENAMED, StepMapping(("A1",), ("A7",)))
    latest = Migration.objects.get()
    with pytest.raises(MissingReason):
        back(under_way, " ")
    with pytest.raises(NotAllowed):
        roll_back(
            migration_id=latest.pk,
            reason="No.",
            actor=under_way.cast.actor("contributor"),
            now=under_way.tick(),
        )


def test_fr016_a_roll_back_through_the_pages(under_way: Driver) -> None:
    migrate(under_way, RENAMED, StepMapping(("A1",), ("A7",)))
    approver = signed_in(under_way.cast.approver)
    uuid = under_way.reload().uuid
    assert "Roll back to version 1" in words(approver.get(f"/workstreams/{uuid}/"))
    page = approver.get(f"/workstreams/{uuid}/roll-back/")
    assert "A7 A1 Renamed keeps its state Complete" in words(page)
    address = f"/workstreams/{uuid}/roll-back/act"
    latest = Migration.objects.get().pk
    assert approver.post(address, {"migration": latest, "reason": ""}).status_code == 422
    assert approver.post(address, {"migration": latest, "reason": "Too early."}).status_code == 302
    assert under_way.reload().version.number == 1
    assert HistoryEntry.objects.get(action="migration rolled back").reason == "Too early."


def test_fr016_a_roll_back_through_rest(under_way: Driver) -> None:
    migrate(under_way, RENAMED, StepMapping(("A1",), ("A7",)))
    boss = under_way.cast.builder("boss")
    boss.user = under_way.cast.approver
    boss.save()
    machine = Machine.of(boss)
    body = {"migration": Migration.objects.get().pk, "reason": "Too early."}
    status, answer = machine.post(f"/api/workstreams/{under_way.reload().uuid}/roll-back", body)
    assert (status, answer["version"]) == (200, 1), answer
    status, answer = machine.post(f"/api/workstreams/{under_way.reload().uuid}/roll-back", body)
    assert (status, answer["code"]) == (409, "already-decided")


def test_fr016_executors_of_threads_pass_along_and_come_back(under_way: Driver) -> None:
    workstream = under_way.reload()
    row = ThreadAssignment.objects.create(
        workstream=workstream,
        thread=under_way.task("B1").step.thread,
        executor=under_way.cast.builder(),
        mode="assigned",
        assigned_by="anna",
        assigned_at=under_way.now,
    )
    migrate(under_way, RENAMED, StepMapping(("A1",), ("A7",)))
    carried = ThreadAssignment.objects.get(ended_at=None)
    assert (carried.thread, carried.executor) == (under_way.task("B1").step.thread, row.executor)
    assert carried.pk != row.pk
    entry = HistoryEntry.objects.get(action="workstream migrated")
    assert json.loads(entry.leaf)["data"]["assignments"] == {"stage-1-build/01-foundations/02-gateway": True}
    back(under_way)
    assert ThreadAssignment.objects.get(ended_at=None).thread == row.thread
    assert Attempt.objects.filter(task__workstream=workstream).exists()
