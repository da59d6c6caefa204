"""Since when tasks and workstreams stand as they stand, from the rows that acts kept (FR-015)."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.contrib.auth.models import User

from orchestrator.core.terms import Reason, RootKind
from orchestrator.models import (
    Attempt,
    Blocker,
    GateReview,
    Intervention,
    RecordedVerdict,
    SchedulingDecision,
    Task,
    WorkspaceBranch,
    Workstream,
)
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.sql import Found, Joined, Table


class Since:
    """Read for some tasks at once, by their ids, in one statement: their latest attempt, open question, open
    blocker with its owner, decision that is kept back, and recorded verdict."""

    def __init__(self, tasks: Sequence[int]) -> None:
        self._changed: dict[int, datetime] = {}
        self._attempts: dict[int, Attempt] = {}
        self._asked: dict[int, datetime] = {}
        self._blocked: dict[int, datetime] = {}
        self._owners: dict[int, str] = {}
        self._decided: dict[int, datetime] = {}
        self._recorded: dict[int, tuple[RecordedVerdict, datetime]] = {}
        for found in _statement(len(tasks)).rows(*tasks) if tasks else ():
            self._changed[found["task"].pk] = found["task"].updated_at
            self._add(found["task"].pk, found)

    def _add(self, task: int, found: Found) -> None:
        """Of several open blockers the one that was declared first comes last, of decisions the newest."""
        if found["attempt"]:
            self._attempts[task] = found["attempt"]
        if found["asked"]:
            self._asked[task] = found["asked"].raised_at
        if found["blocker"]:
            self._blocked[task] = found["blocker"].declared_at
            self._owners[task] = found["owner"].username
        if found["review"]:
            self._decided[task] = found["review"].signed_at
        if found["verdict"]:
            self._recorded[task] = (found["verdict"], found["decision"].made_at)

    def of(self, task: Task, reason: Reason | None, holder: str) -> datetime:
        """When the task came to stand so."""
        attempt = self._attempts.get(task.pk)
        if reason is Reason.NEEDS_HUMAN and task.pk in self._asked:
            return self._asked[task.pk]
        if reason is Reason.BLOCKER and task.pk in self._blocked:
            return self._blocked[task.pk]
        if reason is Reason.REVIEW and task.pk in self._decided:
            return self._decided[task.pk]
        if attempt and attempt.status in LIVE:
            return attempt.started_at or attempt.queued_at
        recorded, made_at = self._recorded.get(task.pk, (None, None))
        if recorded and made_at and recorded.reason == reason and recorded.holder == holder:
            return made_at
        ended = attempt.ended_at if attempt else None
        return max(task.created_at, ended) if ended else task.created_at

    def of_root(self, task: int, kind: RootKind) -> datetime:
        """When the task of this id came to be the root of a chain of this kind."""
        attempt, asked = self._attempts.get(task), self._asked.get(task)
        if kind in (RootKind.QUESTION, RootKind.ARTIFACT) and asked:
            return asked
        if kind is RootKind.BLOCKER and task in self._blocked:
            return self._blocked[task]
        if kind is RootKind.GATE and task in self._decided:
            return self._decided[task]
        if attempt is None or kind is RootKind.ROUND:
            return self._changed[task]
        return attempt.ended_at or attempt.started_at or attempt.queued_at

    def owner_of(self, task: int) -> str:
        """Who sees to the blocker of this task; empty without one."""
        return self._owners.get(task, "")


@lru_cache(200)
def _statement(size: int) -> Joined:
    """For so many tasks."""
    return Joined(
        _TABLES,
        f"""orchestrator_task task
LEFT JOIN orchestrator_attempt attempt ON attempt.task_id = task.id AND attempt.number =
  (SELECT MAX(latest.number) FROM orchestrator_attempt latest WHERE latest.task_id = task.id)
LEFT JOIN orchestrator_intervention asked ON asked.task_id = task.id AND asked.cleared_at IS NULL
LEFT JOIN orchestrator_blocker blocker ON blocker.task_id = task.id AND blocker.resolved_at IS NULL
LEFT JOIN auth_user owner ON owner.id = blocker.owner_id
LEFT JOIN orchestrator_gatereview review ON review.attempt_id = attempt.id AND review.withdrawn_at IS NULL
  AND review.effective_at IS NOT NULL AND attempt.status = 'queued'
LEFT JOIN orchestrator_recordedverdict verdict ON verdict.id = task.verdict_id
LEFT JOIN orchestrator_schedulingdecision decision ON decision.id = verdict.decision_id
WHERE task.id IN ({", ".join(["%s"] * size)}) ORDER BY blocker.declared_at DESC, review.signed_at""",
    )


_TABLES: Final = {
    "task": Table(Task, ("updated_at",)),
    "attempt": Table(Attempt, ("task_id", "status", "queued_at", "started_at", "ended_at")),
    "asked": Table(Intervention, ("raised_at",)),
    "blocker": Table(Blocker, ("declared_at",)),
    "owner": Table(User, ("username",)),
    "review": Table(GateReview, ("signed_at",)),
    "verdict": Table(RecordedVerdict, ("reason", "holder")),
    "decision": Table(SchedulingDecision, ("made_at",)),
}


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
