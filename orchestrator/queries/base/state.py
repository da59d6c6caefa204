"""A workstream's state by its tables and by its history, in one form that can be compared."""

import json
from collections.abc import Iterator, Mapping, Sequence

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
    Stage,
    Task,
    Workstream,
    WorkstreamNeed,
)
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.sql import plain_rows

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
    return stored_states([workstream.pk])[workstream.pk]


def stored_states(ids: Sequence[int]) -> dict[int, State]:
    """The same of many workstreams, in the same number of queries; one that is gone has none."""
    rows = list(
        Workstream.objects.filter(pk__in=ids).values_list(
            "pk", "status", "version_id", "version__number", "merged_into__slug"
        )
    )
    # A version has structure from the moment in which it took effect.
    built = Stage.objects.filter(version__in={row[2] for row in rows})
    effective = set(built.values_list("version_id", flat=True).distinct())
    states = {
        pk: State(status=status, version=number if version in effective else 0, merged_into=merged or "")
        for pk, status, version, number, merged in rows
    }
    _add_words(states)
    by_id = _add_tasks(states, {pk: version for pk, _, version, *_ in rows})
    _add_attempts(states, by_id)
    return states


def _add_words(states: Mapping[int, State]) -> None:
    """What is no task's."""
    own = {"workstream__in": list(states)}
    for pk in PreHandoffReview.objects.filter(**own).values_list("workstream", flat=True):
        states[pk].reviewed = True
    reached = BaselineIntegration.objects.filter(**own, reverted_at=None)
    for pk in reached.values_list("workstream", flat=True):
        states[pk].integrated = True
    for pk, slug in WorkstreamNeed.objects.filter(**own).values_list("workstream", "needed__slug"):
        states[pk].needs.add(slug)
    unusable = HandoffArtifact.objects.filter(**own, state__in=UNUSABLE)
    for pk, path, word in unusable.values_list("workstream", "path", "state"):
        states[pk].artifacts[path[:SUBJECT]] = word


def _add_tasks(states: Mapping[int, State], versions: Mapping[int, int]) -> dict[int, TaskState]:
    """Each task of the version in effect by its key, others by key and version; all of them by their ids."""
    by_id = {}
    tasks = Task.objects.filter(workstream__in=list(states)).values_list(
        *("pk", "workstream", "step__key", "step__version", "step__version__number"),
        *("intervention_note", "needs_human", "status", "last_token", "breadcrumb", "rework"),
    )
    for pk, workstream, key, version, number, note, flagged, *said in plain_rows(tasks):
        status, token, breadcrumb, rework = said
        by_id[pk] = one = TaskState(
            status=status, token=token, breadcrumb=breadcrumb, rework=rework, note=_note(note, flagged)
        )
        if version == versions[workstream]:
            states[workstream].tasks[key] = one
        else:
            states[workstream].dropped[f"{key}@{number}"] = one
    return by_id


def _note(note: str, flagged: bool) -> str:
    """The question that waits; where flag and question do not belong together, that it is so."""
    return note if flagged == bool(note) else f"{note} (flag: {flagged})"


def _add_attempts(states: Mapping[int, State], tasks: Mapping[int, TaskState]) -> None:
    ids = list(states)
    attempts = Attempt.objects.filter(task__workstream__in=ids).order_by("task_id", "number")
    found = attempts.values_list(
        "task_id", "number", "status", "followed_up_at", "assignment__executor__name"
    )
    for task_id, number, status, followed_up, holder in plain_rows(found):
        task = tasks[task_id]
        task.attempts[number] = status
        if status == AttemptStatus.RUNNING:
            task.holder = holder or ""
        if status == AttemptStatus.FAILED and followed_up is None:
            task.undecided = True
    blocked = Blocker.objects.filter(task__workstream__in=ids, resolved_at=None)
    for task_id, blocker in blocked.values_list("task_id", "pk"):
        tasks[task_id].blockers |= {blocker}
    signed = GateReview.objects.filter(
        attempt__task__workstream__in=ids,
        attempt__status__in=LIVE,
        decision=GateDecision.APPROVED,
        withdrawn_at=None,
    )
    for task_id, account in signed.values_list("attempt__task_id", "reviewer"):
        tasks[task_id].signatures |= {account}
