"""A scheduling round: load, decide, launch, record; one at a time per workstream (FR-005, FR-028)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from orchestrator.core.schedule import FRONTIER, Decision, decide
from orchestrator.core.schedule import Verdict as Judgement
from orchestrator.core.terms import AttemptStatus, EventType, Reason, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, SchedulingDecision, Task, Verdict, Workstream
from orchestrator.queries.inputs import input_digest
from orchestrator.queries.snapshot import Loaded, load_snapshot
from orchestrator.services.actor import ORCHESTRATOR
from orchestrator.services.artifacts import announce
from orchestrator.services.conditions import skip
from orchestrator.services.history import record
from orchestrator.services.locks import locked_workstream
from orchestrator.services.progress import recount


def run_round(*, workstream_id: int, now: datetime) -> SchedulingDecision | None:
    """Launch what may start and record every verdict that changed; None when nothing did.

    Holds the workstream's row lock, so rounds and acts of a workstream never interleave.
    """
    with transaction.atomic():
        workstream = locked_workstream(workstream_id)
        if workstream.status != WorkstreamStatus.ACTIVE:
            return None
        loaded = load_snapshot(workstream)
        decision = decide(loaded.snapshot)
        changed = [v for v in decision.verdicts if v.reason in FRONTIER and _is_new(loaded.tasks[v.key], v)]
        if not changed:
            return None
        row = _record_round(workstream, loaded, decision, changed, now)
        for key in decision.launches:
            _launch(loaded.tasks[key], workstream, row, now)
        skipped = {key: decision.verdict(key) for key in decision.skips}
        skip(skipped=skipped, tasks=loaded.tasks, workstream=workstream, number=row.number, now=now)
        if decision.launches or skipped:
            recount(workstream, now)
    return row


#: A launched task is queued, or a gate waits for its signature: the same fact, said once.
AFTER_LAUNCH = {Reason.QUEUED, Reason.REVIEW}


def _is_new(task: Task, verdict: Judgement) -> bool:
    stored = task.verdict
    if verdict.launches or stored is None:
        return True
    if stored.reason == Reason.LAUNCHED and verdict.reason in AFTER_LAUNCH:
        return False
    return (stored.reason, stored.holder, stored.sentence) != (verdict.reason, verdict.holder, verdict.sentence)


def _record_round(
    workstream: Workstream, loaded: Loaded, decision: Decision, changed: Sequence[Judgement], now: datetime
) -> SchedulingDecision:
    workstream.last_round += 1
    workstream.save(update_fields=["last_round"])
    row = SchedulingDecision.objects.create(
        workstream=workstream,
        number=workstream.last_round,
        made_at=now,
        snapshot_sha256=hashlib.sha256(repr(loaded.snapshot).encode()).hexdigest(),
    )
    place = {key: n for n, key in enumerate(decision.launches, start=1)}
    verdicts = Verdict.objects.bulk_create(
        Verdict(
            decision=row,
            task=loaded.tasks[v.key],
            reason=v.reason,
            holder=v.holder,
            sentence=v.sentence,
            launch_order=place.get(v.key),
        )
        for v in changed
    )
    for verdict in verdicts:
        verdict.task.verdict = verdict
    Task.objects.bulk_update([verdict.task for verdict in verdicts], ["verdict"])
    if decision.launches:
        record(
            workstream=workstream,
            actor=ORCHESTRATOR,
            action="steps launched",
            subject=f"round {row.number}: {', '.join(decision.launches)}",
            reason="dependencies complete, resources free; launch order is stage, batch, step, key",
            now=now,
            data={
                "round": row.number,
                "launched": list(decision.launches),
                "gates": [key for key in decision.launches if loaded.tasks[key].step.is_gate],
                "snapshot": row.snapshot_sha256,
            },
        )
    return row


def _launch(task: Task, workstream: Workstream, row: SchedulingDecision, now: datetime) -> None:
    """Queue the next attempt; a gate's attempt waits for a person instead of an executor."""
    task.workstream = workstream
    last = task.attempts.order_by("-number").values_list("number", flat=True).first() or 0
    attempt = Attempt.objects.create(
        task=task, number=last + 1, status=AttemptStatus.QUEUED, queued_at=now, input_digest=input_digest(task)
    )
    if task.step.is_gate:
        task.status = TaskStatus.REVIEW
    task.updated_at = now
    task.save(update_fields=["status", "updated_at"])
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_QUEUED,
        actor=ORCHESTRATOR,
        outcome=f"Launched in round {row.number}.",
        next_action="Sign the gate." if task.step.is_gate else "Claim the attempt and do the step.",
        now=now,
    )
