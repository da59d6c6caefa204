"""Gates: a person approves, or rejects with a reason and a step that work returns to (FR-006, BX-3, WF-5)."""

from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import MissingReason, NotAllowed, NotFound, WrongState
from orchestrator.core.terms import AttemptStatus, EventType, GateDecision, Role, StepKind, TaskStatus
from orchestrator.models import Attempt, GateReview, Step, Task
from orchestrator.services.actor import Actor
from orchestrator.services.artifacts import announce
from orchestrator.services.history import record
from orchestrator.services.locks import locked_task
from orchestrator.services.progress import settle
from orchestrator.services.rework import redo_from
from orchestrator.services.wake import wake


def approve_gate(*, task_id: int, actor: Actor, now: datetime, reason: str = "", follow_ups: str = "") -> GateReview:
    """Sign a gate that waits; what stands behind it may start."""
    with transaction.atomic():
        attempt = _open_gate(task_id, actor)
        task = attempt.task
        review = GateReview.objects.create(
            attempt=attempt,
            reviewer=actor.account,
            decision=GateDecision.APPROVED,
            reason=reason,
            follow_ups=follow_ups,
            signed_at=now,
        )
        _end(attempt, AttemptStatus.COMPLETED, reason or "Approved.", now)
        task.status = TaskStatus.COMPLETE
        announce(
            attempt=attempt,
            event=EventType.GATE_APPROVED,
            actor=actor,
            outcome=reason or "Approved.",
            next_action="What stands behind the gate may start.",
            now=now,
        )
        _record(attempt, actor, "gate approved", reason, now)
        settle(task, now)
        wake(task.workstream_id)
    return review


def reject_gate(*, task_id: int, return_key: str, reason: str, actor: Actor, now: datetime) -> GateReview:
    """Send work back to an earlier step; it and everything after it, this gate included, is done again (AS-6)."""
    if not reason.strip():
        raise MissingReason("A gate is rejected with a reason.", field="reason")
    with transaction.atomic():
        attempt = _open_gate(task_id, actor)
        task = attempt.task
        target = _return_task(task, return_key)
        review = GateReview.objects.create(
            attempt=attempt,
            reviewer=actor.account,
            decision=GateDecision.REJECTED,
            reason=reason,
            return_step=target.step,
            signed_at=now,
        )
        _end(attempt, AttemptStatus.REJECTED, reason, now)
        announce(
            attempt=attempt,
            event=EventType.GATE_REJECTED,
            actor=actor,
            outcome=reason,
            next_action=f"Work returns to {return_key}.",
            now=now,
        )
        _record(attempt, actor, "gate rejected", reason, now)
        redo_from(task=target, reason=reason, actor=actor, now=now)
        wake(task.workstream_id)
    return review


def may_sign(step: Step, actor: Actor) -> bool:
    """The plan names who signs, by role or user name; without a name any reviewer or approver may."""
    named = set(step.reviewers.values_list("name", flat=True))
    if not named:
        return bool(actor.roles() & {Role.REVIEWER, Role.APPROVER})
    return actor.label in named or bool({role.value for role in actor.roles()} & named)


def _open_gate(task_id: int, actor: Actor) -> Attempt:
    task = locked_task(task_id)
    if task.step.kind != StepKind.GATE:
        raise WrongState(f"{task.step.key} is not a gate.")
    if actor.executor is not None or not may_sign(task.step, actor):
        named = ", ".join(task.step.reviewers.values_list("name", flat=True)) or "reviewer or approver"
        raise NotAllowed(f"{actor.label} may not sign {task.step.key}: it is signed by {named}.")
    attempt = task.attempts.filter(status=AttemptStatus.QUEUED).first()
    if attempt is None:
        raise WrongState(f"{task.step.key} does not wait for a signature.")
    if task.blockers.filter(resolved_at=None).exists():
        raise WrongState(f"{task.step.key} has an open blocker.", recovery="Resolve the blocker, then decide.")
    attempt.task = task
    return attempt


def _return_task(gate: Task, key: str) -> Task:
    target = (
        Task.objects.select_related("step__thread__batch__stage")
        .filter(workstream=gate.workstream, step__key=key, step__kind=StepKind.WORK)
        .first()
    )
    if target is None:
        raise NotFound(f"There is no step {key!r} to return to.", field="return_key")
    here, there = gate.step.thread.batch, target.step.thread.batch
    if (there.stage.position, there.position) > (here.stage.position, here.position):
        raise WrongState(f"{key} comes after the gate; work returns to an earlier step.")
    target.workstream = gate.workstream
    return target


def _end(attempt: Attempt, state: AttemptStatus, outcome: str, now: datetime) -> None:
    moved = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.QUEUED).update(
        status=state, outcome=outcome, started_at=attempt.queued_at, ended_at=now
    )
    if moved != 1:
        raise WrongState("The gate has been decided meanwhile.")
    attempt.refresh_from_db(fields=["status", "outcome", "started_at", "ended_at"])


def _record(attempt: Attempt, actor: Actor, action: str, reason: str, now: datetime) -> None:
    record(
        workstream=attempt.task.workstream,
        actor=actor,
        action=action,
        subject=f"{attempt.task.step.key} attempt {attempt.number}",
        reason=reason,
        now=now,
    )
