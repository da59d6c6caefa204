"""A workstream's state by its tables and by its history, in one form that can be compared."""

import json
from collections.abc import Iterator

from orchestrator.core.replay import SUBJECT, Fact, State, TaskState
from orchestrator.core.terms import ArtifactState, AttemptStatus, GateDecision
from orchestrator.models import (
    Attempt,
    BaselineIntegration,
    Blocker,
    GateReview,
    HandoffArtifact,
    HistoryEntry,
    PreHandoffReview,
    Task,
    Workstream,
    WorkstreamNeed,
)
from orchestrator.models.work.attempt import LIVE

#: States that entries say of an artifact.
UNUSABLE = (
    ArtifactState.DAMAGED.value,
    ArtifactState.WITHDRAWN.value,
    ArtifactState.QUARANTINED.value,
)


def facts(workstream: Workstream, after: int = 0) -> Iterator[Fact]:
    """The entries of a workstream behind number `after`, oldest first."""
    entries = HistoryEntry.objects.filter(workstream=workstream, number__gt=after).order_by("number")
    for entry in entries.iterator(chunk_size=1000):
        data = json.loads(entry.leaf).get("data") or {}
        yield Fact(entry.sequence, entry.actor, entry.action, entry.subject, entry.reason, data)


def stored_state(workstream: Workstream) -> State:
    """What the tables say; a fixed number of queries."""
    state = State(
        status=workstream.status,
        version=_version_in_effect(workstream),
        reviewed=PreHandoffReview.objects.filter(workstream=workstream).exists(),
        needs=set(
            WorkstreamNeed.objects.filter(workstream=workstream).values_list("needed__slug", flat=True)
        ),
        merged_into=workstream.merged_into.slug if workstream.merged_into else "",
        integrated=BaselineIntegration.objects.filter(workstream=workstream, reverted_at=None).exists(),
    )
    unusable = HandoffArtifact.objects.filter(workstream=workstream, state__in=UNUSABLE)
    state.artifacts = {path[:SUBJECT]: word for path, word in unusable.values_list("path", "state")}
    by_id: dict[int, TaskState] = {}
    for task in Task.objects.filter(workstream=workstream).select_related("step__version"):
        by_id[task.pk] = one = _task_state(task)
        if task.step.version_id == workstream.version_id:
            state.tasks[task.step.key] = one
        else:
            state.dropped[f"{task.step.key}@{task.step.version.number}"] = one
    _add_attempts(workstream, by_id)
    for task_id, blocker in Blocker.objects.filter(task__in=by_id, resolved_at=None).values_list(
        "task_id", "pk"
    ):
        by_id[task_id].blockers.add(blocker)
    return state


def _version_in_effect(workstream: Workstream) -> int:
    return workstream.version.number if workstream.version.stages.exists() else 0


def _task_state(task: Task) -> TaskState:
    return TaskState(
        status=task.status,
        token=task.last_token,
        note=_note(task),
        breadcrumb=task.breadcrumb,
        rework=task.rework,
    )


def _note(task: Task) -> str:
    """The question that waits; where flag and question do not belong together, that it is so."""
    note = task.intervention_note
    return note if task.needs_human == bool(note) else f"{note} (flag: {task.needs_human})"


def _add_attempts(workstream: Workstream, tasks: dict[int, TaskState]) -> None:
    attempts = Attempt.objects.filter(task__workstream=workstream).select_related("assignment__executor")
    for attempt in attempts.order_by("task_id", "number"):
        task = tasks[attempt.task_id]
        task.attempts[attempt.number] = attempt.status
        if attempt.status == AttemptStatus.RUNNING:
            task.holder = attempt.assignment.executor.name
        if attempt.status == AttemptStatus.FAILED and attempt.followed_up_at is None:
            task.undecided = True
    signed = GateReview.objects.filter(
        attempt__task__workstream=workstream,
        attempt__status__in=LIVE,
        decision=GateDecision.APPROVED,
        withdrawn_at=None,
    )
    for task_id, account in signed.values_list("attempt__task_id", "reviewer"):
        tasks[task_id].signatures.add(account)
