"""Gates: a person approves, or rejects with a reason and a step that work returns to (FR-006, BX-3, WF-5)."""

from collections.abc import Mapping
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.signatures import SignOff
from orchestrator.core.errors import AlreadyDecided, MissingReason, NotAllowed, NotFound, Refusal, WrongState
from orchestrator.core.terms import AttemptStatus, EventType, GateDecision, Scope, StepKind, TaskStatus
from orchestrator.models import Attempt, GateReview, Step, Task, WorkflowVersion, Workstream
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.engine.signatures import Signatures, signatures_of
from orchestrator.queries.handoff.situation import Situation, gate_situation
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.acts import EVERY_ROLE, act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_task, locked_workstream_of_task, refuse_inactive
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.changes.adoption import adopt_behind
from orchestrator.services.handoff.artifacts import announce
from orchestrator.services.plans.amendments import propose_stage
from orchestrator.services.review.decided_gates import came_in_anew, refuse_unheard, rejected_already
from orchestrator.services.review.holding import held_until
from orchestrator.services.work.attempts import move, named_in_history
from orchestrator.services.work.planned_signatures import gate_of
from orchestrator.services.work.rework import redo_from, what_to_redo
from orchestrator.services.work.signing import signer, why_not_approve, why_not_decide

#: Of whom `signing.why_not_decide` makes sure.
ASKED = "whom the plan names, else a reviewer or approver; not about own work, unless the workflow allows it"


@act(
    roles=EVERY_ROLE,
    scope=Scope.MANAGE,
    person="A gate is signed by a person.",
    only=ASKED,
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW),
    records=(Action.GATE_SIGNED, Action.GATE_APPROVED),
)
def approve_gate(
    *,
    task_id: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    follow_ups: str = "",
    fix: WorkflowVersion | None = None,
    withdraw_seconds: int = 0,
    seen: int | None = None,
    heard: int | None = None,
) -> GateReview:
    """Sign a gate that waits; with the last signature it asks for, what stands behind it may start.

    `follow_ups` are tasks, one a line (`title | exit criterion`): they are submitted as a stage of a new
    version of the plan, in the same transaction; `fix` is a version that already has what is asked for.
    With `withdraw_seconds` the last signature is kept back that long, so that it can be withdrawn; then the
    gate is completed (`services.review.signatures`). `seen` is the attempt of the gate that the signer has
    read, where the caller knows: what came in after it is not signed unread. `heard` is the newest decision
    about it that they have read, 0 for none: who decided since then is named (AlreadyDecided).
    Nothing but signatures completes a gate. Raises NotAllowed, SelfApproval, WrongState.
    """
    at = held_until(withdraw_seconds, now, "A signature", "Sign later instead.")
    with unit_of_work():
        situation, signatures = _open_gate(task_id, actor, seen)
        attempt, task = situation.attempt, situation.task
        if signatures.sign_off().complete:
            refuse_unheard(situation, heard)
        if refusal := why_not_approve(task, actor, signatures, lost=situation.lost):
            raise refusal
        state = signatures.sign_off(signer(actor))
        review = GateReview.objects.create(
            attempt=attempt,
            reviewer=actor.account,
            signed_as=actor.label,
            decision=GateDecision.APPROVED,
            reason=reason,
            follow_ups=follow_ups,
            follow_up_version=fix or _follow_up_version(task, follow_ups, reason, actor, now),
            signed_at=now,
            effective_at=at if state.complete and at > now else None,
        )
        if state.complete and review.effective_at is None:
            _pass(situation, review, actor, state, now)
        else:
            _record(attempt, actor, Action.GATE_SIGNED, reason, now, _signature(review, state))
            settle(task, now)
        wake(task.workstream_id)
    return review


def complete_signed(situation: Situation, review: GateReview, now: datetime) -> None:
    """Complete a gate whose last signature was kept back, unless something came in between that holds it."""
    task = situation.task
    state = signatures_of(task).sign_off()
    held = situation.blocked or task.needs_human or (situation.lost and lost_before(task) is not None)
    if state.complete and not held and not situation.turned_down:
        _pass(situation, review, Actor(review.signed_as, review.reviewer), state, now)


def _pass(situation: Situation, review: GateReview, actor: Actor, state: SignOff, now: datetime) -> None:
    """With the last signature that it asks for the gate is complete, and what stands behind it may start."""
    attempt, task = situation.attempt, situation.task
    _complete(situation, actor, review.reason, state, now)
    _record(attempt, actor, Action.GATE_APPROVED, review.reason, now, _signature(review, state))
    settle(task, now)
    if situation.adopts:
        adopt_behind(workstream=task.workstream, actor=actor, now=now)


def sign_as_planned(*, version: WorkflowVersion, workstream: Workstream, now: datetime) -> GateReview | None:
    """Count the signature that the author of a fix stage gave ahead; the version has just taken effect
    (WF-5).

    None when there is none, or when it cannot count any more: the gate then waits for a signature as ever.
    """
    gate = gate_of(workstream, version.signs_gate) if version.signs_gate else None
    if gate is None:
        return None
    reason = (
        f"Signed with version {version.number}, which adds what has to be fixed. {version.change_reason}"
    ).strip()
    try:
        with unit_of_work():
            return approve_gate(
                task_id=gate.pk,
                actor=Actor(version.submitted_as, version.author),
                now=now,
                reason=reason,
                fix=version,
            )
    except Refusal:
        return None


def _complete(situation: Situation, actor: Actor, reason: str, state: SignOff, now: datetime) -> None:
    attempt = situation.attempt
    said = reason or "Approved."
    outcome = said if state.needed == 1 else f"{said} Signed by {', '.join(state.signed)}."
    _end(attempt, AttemptStatus.COMPLETED, outcome, now)
    attempt.task.status = TaskStatus.COMPLETE
    announce(
        attempt=attempt,
        event=EventType.GATE_APPROVED,
        actor=actor,
        outcome=outcome,
        next_action="What stands behind the gate may start.",
        now=now,
        situation=situation,
    )


def _follow_up_version(
    gate: Task, text: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion | None:
    """Follow-ups are work, so they become a stage of the plan that its review decides on (FR-006)."""
    if not text.strip():
        return None
    if propose_stage.why_not(actor):
        raise NotAllowed(
            f"{actor.label} may sign {gate.step.key}, but not add tasks to the plan, which follow-ups are.",
            recovery="Sign without follow-ups, and ask a reviewer or an approver to add them.",
            field="follow_ups",
        )
    why = f"Follow-ups of {gate.step.key}, signed by {actor.label}. {reason}".strip()
    name = f"Follow-ups of {gate.step.key}"
    submission = propose_stage(
        workstream=gate.workstream, name=name, tasks=text, reason=why, actor=actor, now=now
    )
    return submission.version


def _signature(review: GateReview, state: SignOff) -> dict[str, object]:
    version = review.follow_up_version
    return {
        "signatures": list(state.signed),
        "reviewer": review.reviewer.get_username(),
        "reviewer_id": review.reviewer_id,
        "signed": state.count,
        "needed": state.needed,
        "follow_up_version": version.number if version else 0,
    }


@act(
    roles=EVERY_ROLE,
    scope=Scope.MANAGE,
    reason=why("reason", "A gate is rejected with a reason."),
    person="A gate is signed by a person.",
    only=ASKED,
    locks=(Lock.WORKSTREAM,),
    records=(Action.REJECTION_SIGNED, Action.GATE_REJECTED, Action.WORK_SENT_BACK),
)
def reject_gate(
    *,
    task_id: int,
    return_key: str,
    reason: str,
    actor: Actor,
    now: datetime,
    withdraw_seconds: int = 0,
    seen: int | None = None,
    heard: int | None = None,
) -> GateReview:
    """Send work back to an earlier step.

    It and everything after it, this gate included, is done again (AS-6). With `withdraw_seconds` that waits
    so long, so that the rejection can be withdrawn (`services.review.signatures`); meanwhile nobody else
    decides. `seen` and `heard` as in `approve_gate`.
    """
    at = held_until(withdraw_seconds, now, "A rejection", "Reject later instead.")
    with unit_of_work():
        situation, _signatures = _open_gate(task_id, actor, seen)
        refuse_unheard(situation, heard)
        attempt, task = situation.attempt, situation.task
        target = _return_task(task, return_key)
        if at > now:
            what_to_redo(target)
        review = GateReview.objects.create(
            attempt=attempt,
            reviewer=actor.account,
            signed_as=actor.label,
            decision=GateDecision.REJECTED,
            reason=reason,
            return_step=target.step,
            signed_at=now,
            effective_at=at if at > now else None,
        )
        if review.effective_at is None:
            _turn_down(situation, review, target, actor, now)
        else:
            said = {"return_to": return_key, "reviewer_id": review.reviewer_id}
            _record(attempt, actor, Action.REJECTION_SIGNED, reason, now, said)
        wake(task.workstream_id)
    return review


def complete_rejection(situation: Situation, review: GateReview, now: datetime) -> None:
    """Carry a rejection out that was kept back. Where something came in between that forbids it (its step was
    dropped, or is being done), it counts no longer, and the gate can be decided anew."""
    actor, step = Actor(review.signed_as, review.reviewer), review.return_step
    try:
        with unit_of_work():
            target = _return_task(situation.task, step.key if step else "")
            _turn_down(situation, review, target, actor, now)
    except Refusal as refusal:
        _lapse(situation.task, review, refusal, now)


def _lapse(task: Task, review: GateReview, refusal: Refusal, now: datetime) -> None:
    review.withdrawn_at = now
    review.save(update_fields=["withdrawn_at"])
    reason = f"It cannot take effect any more: {refusal.message} Decide the gate anew."
    said = {"reviewer_id": review.reviewer_id}
    _record(review.attempt, ORCHESTRATOR, Action.SIGNATURE_WITHDRAWN, reason, now, said)
    settle(task, now)


def _turn_down(situation: Situation, review: GateReview, target: Task, actor: Actor, now: datetime) -> None:
    """The attempt is over, and work returns to the step."""
    attempt, key = situation.attempt, target.step.key
    _end(attempt, AttemptStatus.REJECTED, review.reason, now)
    announce(
        attempt=attempt,
        event=EventType.GATE_REJECTED,
        actor=actor,
        outcome=review.reason,
        next_action=f"Work returns to {key}.",
        now=now,
        situation=situation,
    )
    _record(attempt, actor, Action.GATE_REJECTED, review.reason, now, {"return_to": key})
    redo_from(task=target, reason=review.reason, actor=actor, now=now)


def _open_gate(task_id: int, actor: Actor, seen: int | None) -> tuple[Situation, Signatures]:
    """The locked situation of a gate that this actor may decide now, and its signatures so far."""
    workstream = locked_workstream_of_task(task_id)
    refuse_inactive(workstream)
    situation = gate_situation(workstream, task_id)
    if situation is None:
        raise _why_closed(locked_task(task_id), actor)
    if not situation.step.is_gate:
        raise _no_gate(situation.step)
    if seen not in (None, situation.attempt.pk):
        raise came_in_anew(situation, seen)
    signatures = signatures_of(situation.task)
    if refusal := why_not_decide(situation.task, actor, signatures, situation.names_steps):
        raise refusal
    if situation.turned_down:
        raise rejected_already(situation)
    if situation.blocked:
        raise WrongState(
            f"{situation.step.key} has an open blocker.", recovery="Resolve the blocker, then decide."
        )
    return situation, signatures


def _why_closed(task: Task, actor: Actor) -> Refusal:
    """Why a task at which no attempt waits is not decided."""
    if not task.step.is_gate:
        return _no_gate(task.step)
    if refusal := why_not_decide(task, actor):
        return refusal
    rows = GateReview.objects.filter(attempt__task=task, withdrawn_at=None)
    if last := rows.order_by("-signed_at", "-pk").first():
        word = GateDecision(last.decision).value
        return AlreadyDecided(
            f"{task.step.key} is decided already: {word} by {last.signed_as}.", at=last.signed_at.isoformat()
        )
    return WrongState(f"{task.step.key} does not wait for a signature.")


def _no_gate(step: Step) -> Refusal:
    return WrongState(f"{step.key} is not a gate.")


def _return_task(gate: Task, key: str) -> Task:
    if not key.strip():
        raise MissingReason(
            "A rejection names the step that work returns to.",
            recovery="Choose the return step and reject again.",
            field="return_key",
        )
    target = (
        Task.objects.select_related("step__thread__batch__stage")
        .filter(
            workstream=gate.workstream,
            step__version=gate.workstream.version_id,
            step__key=key,
            step__kind=StepKind.WORK,
        )
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
    workstream = attempt.task.workstream
    workstream.started_at = workstream.started_at or now
    move(attempt, AttemptStatus.QUEUED, state, outcome=outcome, started_at=attempt.queued_at, ended_at=now)


def _record(
    attempt: Attempt,
    actor: Actor,
    action: Action,
    reason: str,
    now: datetime,
    data: Mapping[str, object] | None = None,
) -> None:
    record(
        workstream=attempt.task.workstream,
        actor=actor,
        action=action,
        subject=f"{attempt.task.step.key} attempt {attempt.number}",
        reason=reason,
        now=now,
        data={**named_in_history(attempt), **(data or {})},
    )
