"""Task rows turned into what the scheduler may know of them; a fixed number of queries for any number of
tasks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.explain import not_committed
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.values import TaskView
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus
from orchestrator.models import (
    Attempt,
    Blocker,
    GateReviewer,
    HandoffArtifact,
    OwnedFiles,
    StepNeed,
    StepResource,
    Task,
    Workstream,
)
from orchestrator.models.attempt import LIVE
from orchestrator.queries.base.parts import MANY
from orchestrator.queries.base.prepared import Prepared
from orchestrator.queries.engine.conditions import conditions_of, skipped_because
from orchestrator.queries.engine.signatures import signers_by_gate
from orchestrator.queries.engine.threads import ThreadPlace, place_of


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows facts are read for: a lookup from what belongs to a task, a step or a thread, and the ids it
    finds.
    """

    task: tuple[str, list[int]]
    step: tuple[str, list[int]]
    thread: tuple[str, list[int]]

    @classmethod
    def whole(cls, workstream: Workstream) -> "Scope":
        return cls(
            ("task__workstream__in", [workstream.pk]),
            ("step__tasks__workstream__in", [workstream.pk]),
            ("thread__batch__stage__version__in", [workstream.version_id]),
        )

    @classmethod
    def of(cls, tasks: Sequence[Task], workstream: Workstream) -> "Scope":
        """Just these tasks; all of their workstream when they are many."""
        if len(tasks) > MANY:
            return cls.whole(workstream)
        return cls(
            ("task__in", [task.pk for task in tasks]),
            ("step__in", [task.step_id for task in tasks]),
            ("thread__in", sorted({task.step.thread_id for task in tasks})),
        )


class Unusable(NamedTuple):
    """Why a handover cannot be used. `damaged` means that it was lost; otherwise it is not committed yet."""

    said: str
    damaged: bool


USABLE = Unusable("", False)


class Facts:
    """What the views of some tasks need. `unusable` says per task why its handover cannot be used."""

    def __init__(
        self,
        workstream: Workstream,
        tasks: Sequence[Task],
        unusable: Mapping[int, Unusable],
        assigned: Mapping[ThreadPlace, str],
        scope: Scope | None = None,
    ) -> None:
        scope = scope or Scope.of(tasks, workstream)
        self.conditions = conditions_of(workstream, tasks)
        self.live, self.failures = _attempts(scope, tasks)
        self.assigned = assigned
        self.blockers = dict(_open_blockers(*scope.task))
        self.unusable = unusable
        self.needs = grouped(_needs(*scope.step))
        gates = [task for task in tasks if task.step.is_gate]
        self.reviewers = grouped(_reviewers(*scope.step)) if gates else {}
        waiting = [gate.pk for gate in gates if gate.status in {TaskStatus.REVIEW, TaskStatus.BLOCKED}]
        self.signers = signers_by_gate(waiting) if waiting else {}
        self.claims = ClaimFacts(scope)

    def view(self, task: Task) -> TaskView:
        step, thread = task.step, task.step.thread
        live = self.live.get(task.pk)
        running = live is not None and live.status == AttemptStatus.RUNNING
        complete = task.status == TaskStatus.COMPLETE
        unusable = self.unusable.get(task.pk, USABLE) if complete else USABLE
        return TaskView(
            key=step.key,
            place=Place(thread.batch.stage.position, thread.batch.position, thread.position, step.position),
            status=TaskStatus(task.status),
            gate=step.is_gate,
            parallel=step.parallel,
            needs=self.needs.get(step.pk, ()),
            claims=self.claims.of(step.pk, thread.pk, thread.lane),
            live=AttemptStatus(live.status) if live else None,
            executor=live.assignment.claimed_as if live and running else "",
            assigned=self.assigned.get(place_of(thread), ""),
            failure=self.failures.get(task.pk, ""),
            blocker=self.blockers.get(task.pk, ""),
            note=task.intervention_note if task.needs_human else "",
            artifact=unusable.said,
            damaged=unusable.damaged,
            reviewers=self.reviewers.get(step.pk, ()),
            signatures=step.signatures,
            signers=self.signers.get(task.pk, ()),
            run=step.run_index,
            when=self.conditions.get(task.pk),
            skipped=skipped_because(task),
        )


def _attempts(scope: Scope, tasks: Sequence[Task]) -> tuple[dict[int, Attempt], dict[int, str]]:
    """By task: its live attempt, and the error of a blocked one's last failure that nobody has
    followed up.
    """
    blocked = {task.pk for task in tasks if task.status == TaskStatus.BLOCKED}
    live: dict[int, Attempt] = {}
    failures: dict[int, str] = {}
    for attempt in _unsettled_attempts(*scope.task):
        if attempt.status in LIVE:
            live[attempt.task_id] = attempt
        elif attempt.task_id in blocked:
            failures[attempt.task_id] = attempt.error
    return live, failures


@Prepared
def _unsettled_attempts(lookup: str, ids: list[int]) -> QuerySet[Attempt]:
    """Live ones, and failures that nobody has followed up."""
    unanswered = Q(status=AttemptStatus.FAILED, followed_up_at=None)
    rows = Attempt.objects.filter(Q(status__in=LIVE) | unanswered, **{lookup: ids})
    return rows.select_related("assignment__executor").order_by("number")


@Prepared
def _open_blockers(lookup: str, ids: list[int]) -> QuerySet[Blocker, tuple[int, str]]:
    blockers = Blocker.objects.filter(resolved_at=None, **{lookup: ids})
    return blockers.order_by("-declared_at").values_list("task_id", "note")


@Prepared
def _needs(lookup: str, ids: list[int]) -> QuerySet[StepNeed, tuple[int, str]]:
    return StepNeed.objects.filter(**{lookup: ids}).order_by().values_list("step_id", "needed__key")


@Prepared
def _reviewers(lookup: str, ids: list[int]) -> QuerySet[GateReviewer, tuple[int, str]]:
    return GateReviewer.objects.filter(**{lookup: ids}).order_by().values_list("step_id", "name")


@Prepared
def _claimed(lookup: str, ids: list[int]) -> QuerySet[StepResource, tuple[int, str, bool]]:
    return StepResource.objects.filter(**{lookup: ids}).order_by().values_list("step_id", "name", "is_files")


@Prepared
def _owned(lookup: str, ids: list[int]) -> QuerySet[OwnedFiles, tuple[int, str]]:
    return OwnedFiles.objects.filter(**{lookup: ids}).order_by().values_list("thread_id", "pattern")


class ClaimFacts:
    """The files and resources of steps and their threads."""

    def __init__(self, scope: Scope) -> None:
        named = _claimed(*scope.step)
        self._files = grouped((step, name) for step, name, is_files in named if is_files)
        self._resources = grouped((step, name) for step, name, is_files in named if not is_files)
        self._owned = grouped(_owned(*scope.thread))

    def of(self, step: int, thread: int, lane: str) -> Claims:
        return Claims(
            lane, self._owned.get(thread, ()), self._files.get(step, ()), self._resources.get(step, ())
        )


def unusable_handovers(workstream: Workstream) -> dict[int, Unusable]:
    """Why the latest handover of a complete task cannot be used, by task id; usable ones are left out."""
    return {
        task_id: Unusable(problem or not_committed(path), state == ArtifactState.DAMAGED)
        for task_id, problem, path, state in _unusable(workstream.pk)
    }


@Prepared
def _unusable(workstream: int) -> QuerySet[HandoffArtifact, tuple[int, str, str, str]]:
    results = HandoffArtifact.objects.filter(event__in=RESULT_EVENTS).exclude(state=ArtifactState.QUARANTINED)
    later = results.filter(attempt__task=OuterRef("attempt__task"), sequence__gt=OuterRef("sequence"))
    unusable = [ArtifactState.PENDING, ArtifactState.DAMAGED, ArtifactState.WITHDRAWN]
    found = HandoffArtifact.objects.filter(
        ~Exists(later),
        workstream=workstream,
        event__in=RESULT_EVENTS,
        state__in=unusable,
        attempt__task__status=TaskStatus.COMPLETE,
    )
    return found.order_by().values_list("attempt__task_id", "problem", "path", "state")


def grouped(pairs: Iterable[tuple[int, str]]) -> dict[int, tuple[str, ...]]:
    """The values of each key, sorted, each once."""
    groups: dict[int, set[str]] = defaultdict(set)
    for key, value in pairs:
        groups[key].add(value)
    return {key: tuple(sorted(values)) for key, values in groups.items()}
