"""Workstreams: the pre-handoff review, acceptance, archiving (FR-003, LC-1, LC-3, LC-10)."""

from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import MissingReason, NotFinished, WrongState
from orchestrator.core.terms import AttemptStatus, Role, WorkstreamStatus
from orchestrator.models import Attempt, PreHandoffReview, Workstream
from orchestrator.services.actor import Actor
from orchestrator.services.history import record
from orchestrator.services.locks import locked_workstream
from orchestrator.services.wake import wake


def sign_prehandoff(*, workstream_id: int, rationale: str, actor: Actor, now: datetime) -> PreHandoffReview:
    """Sign that duplicates were looked at, with the rationale; nothing is launched before (FR-003, AS-5)."""
    actor.require(Role.APPROVER, Role.REVIEWER)
    if not rationale.strip():
        raise MissingReason("Say what was looked at and why this work is not a duplicate.", field="rationale")
    with transaction.atomic():
        workstream = locked_workstream(workstream_id)
        if PreHandoffReview.objects.filter(workstream=workstream).exists():
            raise WrongState("The pre-handoff review is already signed.")
        if workstream.status not in {WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE}:
            raise WrongState(f"{workstream} is {workstream.status}.")
        review = PreHandoffReview.objects.create(
            workstream=workstream, reviewer=actor.account, rationale=rationale.strip(), signed_at=now
        )
        _touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action="pre-handoff review signed",
            subject=workstream.slug,
            reason=rationale,
            now=now,
        )
        wake(workstream.pk)
    return review


def accept_workstream(*, workstream_id: int, actor: Actor, now: datetime, note: str = "") -> Workstream:
    """Accept a finished workstream after review: an explicit act, never automatic (LC-1, LC-9)."""
    actor.require(Role.APPROVER)
    with transaction.atomic():
        workstream = locked_workstream(workstream_id)
        if workstream.status != WorkstreamStatus.ACTIVE:
            raise WrongState(f"{workstream} is {workstream.status}; only active workstreams are accepted.")
        if workstream.finished_at is None:
            raise NotFinished(f"{workstream.open_tasks} tasks of {workstream} are open.")
        workstream.status = WorkstreamStatus.COMPLETED
        workstream.accepted_at, workstream.accepted_by = now, actor.account
        _touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action="workstream accepted",
            subject=workstream.slug,
            reason=note,
            now=now,
        )
        wake(workstream.pk)
    return workstream


def archive_workstream(*, workstream_id: int, reason: str, actor: Actor, now: datetime) -> Workstream:
    """Close a workstream without losing its history; nothing is ever deleted (LC-10)."""
    actor.require(Role.APPROVER)
    if not reason.strip():
        raise MissingReason("Say why the workstream is archived.", field="reason")
    with transaction.atomic():
        workstream = locked_workstream(workstream_id)
        if workstream.status == WorkstreamStatus.ARCHIVED:
            raise WrongState(f"{workstream} is already archived.")
        cancelled = _cancel_queued(workstream, now)
        workstream.status = WorkstreamStatus.ARCHIVED
        _touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action="workstream archived",
            subject=workstream.slug,
            reason=reason,
            now=now,
            data={"cancelled": cancelled},
        )
        wake(workstream.pk)
    return workstream


def _touch(workstream: Workstream, now: datetime) -> None:
    workstream.updated_at = now
    workstream.save(update_fields=["status", "accepted_at", "accepted_by", "updated_at"])


def _cancel_queued(workstream: Workstream, now: datetime) -> list[str]:
    """Answers with the keys of the tasks whose attempt was cancelled."""
    live = Attempt.objects.filter(task__workstream=workstream)
    if running := live.filter(status=AttemptStatus.RUNNING).select_related("task__step").first():
        raise WrongState(
            f"{running} is still running.", recovery="Wait for it to end or declare it failed, then archive."
        )
    queued = live.filter(status=AttemptStatus.QUEUED)
    keys = list(queued.order_by("pk").values_list("task__step__key", flat=True))
    queued.update(status=AttemptStatus.CANCELLED, ended_at=now)
    return keys
