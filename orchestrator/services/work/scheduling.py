"""A scheduling round: load, decide, launch, record; one at a time per workstream (FR-005, FR-028)."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.schedule import Decision, Verdict, decide, ties
from orchestrator.core.terms import AttemptStatus, Reason, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, RecordedVerdict, SchedulingDecision, Task, Workstream
from orchestrator.queries.engine.frontier import Round, load_round
from orchestrator.queries.engine.ground import ground_and_version
from orchestrator.queries.engine.inputs import input_digests
from orchestrator.queries.handoff.upstream import Upstream
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record, speaks_of
from orchestrator.services.base.locks import lock_repository, locked_workstream
from orchestrator.services.base.progress import count_moves, move_of, save_later
from orchestrator.services.base.rows import InsertRow, InsertRows
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.artifacts import announce_queued
from orchestrator.services.work.conditions import skip
from orchestrator.services.work.round_marks import RoundMarks


def run_round(*, workstream_id: int, now: datetime, afresh: bool = False) -> SchedulingDecision | None:
    """Launch what may start and record every verdict that changed; None when nothing did. `afresh` looks at
    the whole frontier, not only at what acts have marked.

    Holds the workstream's row lock, so rounds and acts of a workstream never interleave, then its
    repository's, so rounds of workstreams on one repository do not either (AD-3).
    """
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if workstream.status != WorkstreamStatus.ACTIVE:
            return None
        ground = ground_and_version(workstream, now)
        lock_repository(workstream.version.repository)
        seen = load_round(workstream, ground, afresh=afresh)
        decision = decide(seen.snapshot)
        changed = [v for v in decision.verdicts if v.frontier and _is_new(seen.tasks[v.key], v)]
        row = _record_round(workstream, seen, decision, changed, now) if changed else None
        if row and decision.launches:
            _launch([seen.tasks[key] for key in decision.launches], workstream, seen, row, now)
        if row and decision.skips:
            _skip({key: decision.verdict(key) for key in decision.skips}, workstream, seen, row, now)
            row.skipped = len(decision.skips)
        _remember(workstream, seen, decision, row, changed, now)
    return row


#: A launched task is queued, or a gate waits for its signature: the same fact, said once.
AFTER_LAUNCH = {Reason.QUEUED, Reason.REVIEW}
#: What may end without any act on the task, on its thread or on what it needs, and what a round itself ended:
#: the next round looks again.
LOOK_AGAIN = {Reason.RESOURCE, Reason.CONDITION}


def _is_new(task: Task, verdict: Verdict) -> bool:
    stored = task.verdict
    if verdict.launches or verdict.reason is Reason.CONDITION or stored is None:
        return True  # both change the task, even when the same was said of an earlier turn of it
    if stored.reason == Reason.LAUNCHED and verdict.reason in AFTER_LAUNCH:
        return False
    return (stored.reason, stored.holder, stored.sentence) != (
        verdict.reason,
        verdict.holder,
        verdict.sentence,
    )


def _record_round(
    workstream: Workstream, seen: Round, decision: Decision, changed: Sequence[Verdict], now: datetime
) -> SchedulingDecision:
    workstream.last_round += 1
    row = SchedulingDecision(
        workstream=workstream,
        number=workstream.last_round,
        made_at=now,
        snapshot_sha256=hashlib.sha256(repr(seen.snapshot).encode()).hexdigest(),
    )
    _INSERT_DECISION(row)
    place = {key: n for n, key in enumerate(decision.launches, start=1)}
    _INSERT_VERDICTS(
        [
            RecordedVerdict(
                decision=row,
                task=seen.tasks[v.key],
                reason=v.reason,
                holder=v.holder,
                sentence=v.sentence,
                launch_order=place.get(v.key),
            )
            for v in changed
        ]
    )
    _record_serialised(workstream, seen, row, changed, now)
    if decision.launches:
        _record_launches(workstream, seen, row, decision.launches, now)
    return row


_INSERT_DECISION, _INSERT_VERDICTS = InsertRow(SchedulingDecision), InsertRows(RecordedVerdict)
_INSERT_ATTEMPTS = InsertRows(Attempt)


def _record_launches(
    workstream: Workstream, seen: Round, row: SchedulingDecision, launches: Sequence[str], now: datetime
) -> None:
    equal = ties(seen.snapshot, launches)
    said = "".join(f"; equal order, by key: {', '.join(group)}" for group in equal)
    record(
        workstream=workstream,
        actor=ORCHESTRATOR,
        action=Action.STEPS_LAUNCHED,
        subject=f"round {row.number}: {', '.join(launches)}",
        reason=f"dependencies complete, resources free; launch order is stage, batch, step, key{said}",
        now=now,
        data={
            "round": row.number,
            "launched": list(launches),
            "gates": [key for key in launches if seen.tasks[key].step.is_gate],
            "ties": [list(group) for group in equal],
            "snapshot": row.snapshot_sha256,
        },
    )


def _record_serialised(
    workstream: Workstream, seen: Round, row: SchedulingDecision, changed: Sequence[Verdict], now: datetime
) -> None:
    """Say once which task waits for which holder of files or a resource (EC-1)."""
    held = [v for v in changed if v.reason is Reason.RESOURCE and not _waited(seen.tasks[v.key], v.holder)]
    if not held:
        return
    record(
        workstream=workstream,
        actor=ORCHESTRATOR,
        action=Action.STEPS_SERIALISED,
        subject=f"round {row.number}: {', '.join(v.key for v in held)}",
        reason="; ".join(f"{v.key} {v.sentence}" for v in held),
        now=now,
        data={"round": row.number, "held": {v.key: v.holder for v in held}},
    )


def _waited(task: Task, holder: str) -> bool:
    return task.verdict is not None and (task.verdict.reason, task.verdict.holder) == (
        Reason.RESOURCE,
        holder,
    )


def _launch(
    tasks: Sequence[Task], workstream: Workstream, seen: Round, row: SchedulingDecision, now: datetime
) -> None:
    """Queue the next attempt of each, in launch order; a gate's waits for a person instead of an executor."""
    for task in tasks:
        task.workstream = workstream
    upstream = Upstream.of_launch(workstream, tasks, seen.facts.needed)
    inputs = input_digests(tasks, upstream, seen.facts)
    attempts = [
        Attempt(
            task=task,
            number=seen.facts.last_number.get(task.pk, 0) + 1,
            status=AttemptStatus.QUEUED,
            queued_at=now,
            input_digest=inputs[task.pk],
            behind=task.step.behind,
        )
        for task in tasks
    ]
    _INSERT_ATTEMPTS(attempts)
    speaks_of(*attempts)
    gates = [task for task in tasks if task.step.is_gate]
    count_moves(workstream, [move_of(task, task.status, TaskStatus.REVIEW) for task in gates], now)
    announce_queued(
        attempts=attempts,
        outcome=f"Launched in round {row.number}.",
        upstream=upstream,
        integrated=seen.ground.integrated,
        now=now,
    )


def _skip(
    skipped: Mapping[str, Verdict],
    workstream: Workstream,
    seen: Round,
    row: SchedulingDecision,
    now: datetime,
) -> None:
    moves = [move_of(seen.tasks[key], seen.tasks[key].status, TaskStatus.SKIPPED) for key in skipped]
    skip(skipped=skipped, tasks=seen.tasks, workstream=workstream, number=row.number, now=now)
    count_moves(workstream, moves, now)


def _remember(
    workstream: Workstream,
    seen: Round,
    decision: Decision,
    row: SchedulingDecision | None,
    changed: Sequence[Verdict],
    now: datetime,
) -> None:
    """Write what became of the tasks, each once: their verdicts, what was launched, and what the next round
    need not look at; and what all of this rests on."""
    launched = {seen.tasks[key].pk for key in decision.launches} if row else set()
    stands = {seen.tasks[view.key].pk for view in seen.snapshot.tasks if view.stands}
    again = {seen.tasks[v.key].pk for v in decision.verdicts if v.reason in LOOK_AGAIN} - launched
    marks = RoundMarks(
        verdict={seen.tasks[v.key].pk for v in changed},
        launched=launched,
        gates={task.pk for task in seen.tasks.values() if task.pk in launched and task.step.is_gate},
        due=again - seen.due,
        settled=(launched | seen.due) - again,
        standing=launched | {t.pk for t in seen.tasks.values() if t.pk in stands and not t.standing},
    )
    marks.write(row, now)
    if row or workstream.judged_on != seen.rests_on:
        workstream.judged_on = seen.rests_on
        save_later(workstream)
