"""Since when tasks and workstreams stand as they stand, from the rows that acts kept (FR-015)."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.terms import Reason, RootKind
from orchestrator.models import (
    Attempt,
    Blocker,
    Intervention,
    RecordedVerdict,
    Task,
    WorkspaceBranch,
    Workstream,
)
from orchestrator.models.work.attempt import LIVE


class Since:
    """Read for some tasks at once: their attempts, open questions, open blockers and recorded verdicts."""

    def __init__(self, rows: Sequence[Task]) -> None:
        tasks = [row.pk for row in rows]
        self._attempts = _latest(tasks)
        questions = Intervention.objects.filter(task__in=tasks, cleared_at=None)
        self._asked = {one.task_id: one for one in questions}
        blockers = Blocker.objects.filter(task__in=tasks, resolved_at=None).order_by("-declared_at")
        self._blocked = dict(blockers.values_list("task", "declared_at"))
        recorded = RecordedVerdict.objects.filter(pk__in=[row.verdict_id for row in rows if row.verdict_id])
        self._recorded = {one.task_id: one for one in recorded.select_related("decision")}

    def of(self, task: Task, reason: Reason | None, holder: str) -> datetime:
        """When the task came to stand so."""
        attempt = self._attempts.get(task.pk)
        if reason is Reason.NEEDS_HUMAN and task.pk in self._asked:
            return self._asked[task.pk].raised_at
        if reason is Reason.BLOCKER and task.pk in self._blocked:
            return self._blocked[task.pk]
        if attempt and attempt.status in LIVE:
            return attempt.started_at or attempt.queued_at
        recorded = self._recorded.get(task.pk)
        if recorded and recorded.reason == reason and recorded.holder == holder:
            return recorded.decision.made_at
        ended = attempt.ended_at if attempt else None
        return max(task.created_at, ended) if ended else task.created_at

    def of_root(self, task: Task, kind: RootKind) -> datetime:
        """When the task came to be the root of a chain of this kind."""
        attempt, asked = self._attempts.get(task.pk), self._asked.get(task.pk)
        if kind in (RootKind.QUESTION, RootKind.ARTIFACT) and asked:
            return asked.raised_at
        if kind is RootKind.BLOCKER and task.pk in self._blocked:
            return self._blocked[task.pk]
        if attempt is None:
            return task.updated_at
        return attempt.ended_at or attempt.started_at or attempt.queued_at


def _latest(tasks: Sequence[int]) -> dict[int, Attempt]:
    rows = Attempt.objects.filter(task__in=tasks).order_by("number")
    kept = rows.only("task_id", "status", "queued_at", "started_at", "ended_at")
    return {attempt.task_id: attempt for attempt in kept}


def hold_since(workstream: Workstream, reason: Reason | None) -> datetime | None:
    """When the whole workstream came to be held for this reason; without a reason, when it was finished or
    started."""
    version = workstream.version
    if reason is Reason.PLAN_NOT_APPROVED:
        return version.submitted_at
    if reason is Reason.NOT_EFFECTIVE:
        return version.decided_at
    if reason is Reason.PREHANDOFF:
        return version.effective_at
    if reason is Reason.BUDGET:
        return workstream.over_budget_at
    if reason is Reason.DIVERGED:
        return WorkspaceBranch.objects.values_list("diverged_at", flat=True).first()
    if reason is Reason.CLOSED:
        return workstream.accepted_at or workstream.updated_at
    if reason is Reason.WORKSTREAM_DEPENDENCY:
        return version.effective_at
    return workstream.finished_at or workstream.started_at or version.effective_at
