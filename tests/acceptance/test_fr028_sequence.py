"""FR-028: the sequence of the history, which everybody needs, is held for a few statements, whatever an act
writes.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry, Task, WorkflowVersion
from orchestrator.services.base import history
from orchestrator.services.base.locks import Lock, held_locks
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.blockers import declare_blocker
from orchestrator.services.people.executors import register_executor
from orchestrator.services.plans import comments
from orchestrator.services.review import decisions
from tests.acceptance.versions import decide
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.verified import first_breach

STEPS = 1500
#: Statements between the lock and the commit: the lock, where the chains stand, the entries.
FEW = 8
#: With an idempotency key the answer is put together in the same transaction: what it reads does not grow
#: with the act.
FEW_MORE = 40


def large(title: str) -> bytes:
    lanes = "".join(
        f"###### Thread {lane:02}: lane {lane}\n- Role: contributor\n"
        + "".join(
            f"- {chr(65 + lane)}{step}: Step {step}\n  - Exit: done\n" for step in range(1, STEPS // 15 + 1)
        )
        for lane in range(15)
    )
    return f"# Plan: {title}\n\n## Stages\n\n### Stage 1: All\n\n##### Batch 01: all\n\n{lanes}".encode()


class Behind:
    """Counts statements, and those that a transaction makes while it holds the sequence."""

    def __init__(self) -> None:
        self.all = self.behind = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.all += 1
        self.behind += (Lock.SEQUENCE, 0) in held_locks()
        return execute(sql, params, many, context)


def submitted(driver: Driver, source: bytes) -> WorkflowVersion:
    """In review, with a draft of a comment by whoever approves it."""
    version = driver.submit(source).version
    comments.open_discussion(
        version_id=version.pk, body="Fine.", actor=driver.cast.actor("approver"), now=driver.tick()
    )
    return version


@pytest.mark.django_db
@pytest.mark.parametrize("with_key", [False, True])
def test_fr028_a_large_approval_holds_the_sequence_for_a_few_statements(
    driver: Driver, with_key: bool
) -> None:
    version = submitted(driver, large("Large one"))
    machine = Machine.of(
        register_executor(
            name="anna-s", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=driver.tick()
        )
    )
    address = f"/api/workflows/{version.workflow.slug}/versions/1/approve"
    seen = Behind()
    with connection.execute_wrapper(seen):
        if with_key:
            status, answer = machine.post(address, {"sha256": version.source_sha256}, key="once")
            assert status == 200, answer
        else:
            assert decide(driver, version).status_code == 302
    assert Task.objects.count() == STEPS
    assert HistoryEntry.objects.filter(action="comments sent").count() == 1
    assert HistoryEntry.objects.filter(action="plan approved").count() == 1
    assert seen.all > 50
    assert 0 < seen.behind <= (FEW_MORE if with_key else FEW), seen.behind
    assert first_breach() is None


@pytest.mark.django_db
def test_fr028_work_of_1500_steps_that_is_taken_over_is_recorded_in_a_few_statements(
    driver: Driver,
) -> None:
    """Many entries of one act are one insert, as wide as the database takes it."""
    driver.start(large("Another one"))
    workstream = driver.reload()
    said = [history.Said(f"S{n}", "", {"n": n}) for n in range(STEPS)]
    seen = Behind()
    with connection.execute_wrapper(seen), unit_of_work():
        history.record_each(
            workstream=workstream,
            actor=driver.cast.actor("approver"),
            action="work adopted",
            entries=said,
            now=NOON,
        )
    assert seen.behind <= (FEW if connection.vendor == "postgresql" else FEW + STEPS // 50)
    assert first_breach() is None


@pytest.mark.django_db(transaction=True)
def test_fr028_nobody_waits_for_the_sequence_while_a_large_act_goes_on(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval that has sent its comments stands still in the middle.

    Another workstream's act goes through.
    """
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite one transaction writes at a time: name a server in DATABASE_URL")
    other = Driver(driver.cast)
    other.start(large("Meanwhile").replace(b"Step", b"Part"))
    version = submitted(driver, PLAN)
    inside, go_on = threading.Event(), threading.Event()
    put_into_effect = decisions.put_into_effect

    def slow(*values: Any) -> int:
        inside.set()
        assert go_on.wait(60)
        return put_into_effect(*values)

    monkeypatch.setattr(decisions, "put_into_effect", slow)

    def approve() -> None:
        try:
            decisions.approve_version(
                version_id=version.pk,
                seen_sha256=version.source_sha256,
                actor=driver.cast.actor("approver"),
                now=driver.now,
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        approving = pool.submit(approve)
        assert inside.wait(60)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            blocker = declare_blocker(
                task_id=other.task("A1").pk,
                kind="other",
                note="Waits.",
                owner="",
                actor=driver.cast.actor("contributor"),
                now=other.tick(),
            )
            assert blocker.pk
            assert not approving.done()
        finally:
            go_on.set()
        approving.result()
    assert HistoryEntry.objects.filter(action="comments sent").count() == 1
    assert first_breach() is None
