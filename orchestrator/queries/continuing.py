"""What a task's next executor starts from after an interruption or hand-over (AS-8, WF-9): the brief, what happened so
far, what has been handed over already, and what is still to be proved."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.errors import NotFound
from orchestrator.core.terms import (
    OPEN_TASK,
    ArtifactState,
    AttemptStatus,
    CriterionKind,
    GateDecision,
    StepKind,
    TaskStatus,
    WorkstreamStatus,
)
from orchestrator.models import (
    Criterion,
    CriterionCheck,
    Executor,
    GateReview,
    HistoryEntry,
    OutputFile,
    Task,
    Workstream,
)
from orchestrator.queries.artifact_facts import OutputFacts
from orchestrator.queries.briefs import Brief, brief
from orchestrator.queries.tasks import PLACE

#: Entries that say why a step is done again; the first names the tasks it concerns in its data.
SENT_BACK = "work sent back"
DECIDED = ("task re-queued", "attempt failed", "artifact withdrawn")


@dataclass(frozen=True)
class Crumb:
    """What an executor said it did last."""

    at: datetime
    executor: str
    attempt: str
    text: str


@dataclass(frozen=True)
class Returned:
    """A decision after which the step is, or may be, done again; `gate` is the gate that was rejected, if one was."""

    at: datetime
    by: str
    what: str
    reason: str
    gate: str


@dataclass(frozen=True)
class ToProve:
    """An exit criterion of an open task. One that was proved before (`attempt`, `evidence`) has to be proved again."""

    id: int
    key: str
    text: str
    attempt: int | None
    evidence: str


@dataclass(frozen=True)
class Continuation:
    """`own_outputs` are the newest files of the task's own attempts, as they stand in the workspace."""

    brief: Brief
    breadcrumbs: tuple[Crumb, ...]
    returned: tuple[Returned, ...]
    own_outputs: tuple[OutputFacts, ...]
    to_prove: tuple[ToProve, ...]

    @property
    def interrupted(self) -> bool:
        """Whether somebody has worked on it before."""
        return bool(self.brief.earlier_attempts or self.breadcrumbs or self.returned)


def continuation(task_id: int) -> Continuation:
    """NotFound when there is no such task."""
    found = Task.objects.select_related("step", "workstream").filter(pk=task_id).first()
    if found is None:
        raise NotFound("There is no such task.")
    return Continuation(
        brief=brief(task_id),
        breadcrumbs=_breadcrumbs(found),
        returned=_returned(found),
        own_outputs=_own_outputs(found),
        to_prove=to_prove([found]),
    )


def to_continue(executor: Executor) -> Sequence[Task]:
    """What this executor holds; after it, in launch order, what others began and anybody may claim now."""
    held = Task.objects.filter(attempts__assignment__executor=executor, attempts__assignment__released_at=None)
    left = Task.objects.filter(
        workstream__status=WorkstreamStatus.ACTIVE,
        status=TaskStatus.PENDING,
        needs_human=False,
        step__kind=StepKind.WORK,
        attempts__status=AttemptStatus.QUEUED,
        attempts__number__gt=1,
    )
    order = ("-workstream__priority", "workstream__created_at", "workstream_id", *PLACE)
    rows = [*held.select_related("step", "workstream"), *left.select_related("step", "workstream").order_by(*order)]
    return list({row.pk: row for row in rows}.values())


def to_prove(tasks: Sequence[Task]) -> tuple[ToProve, ...]:
    """The exit criteria of those tasks that are open, in their order; a fixed number of queries."""
    still_open = [task for task in tasks if TaskStatus(task.status) in OPEN_TASK]
    proofs = _proofs(still_open)
    criteria: dict[int, list[Criterion]] = {}
    steps = [task.step_id for task in still_open]
    for one in Criterion.objects.filter(step__in=steps, kind=CriterionKind.EXIT).order_by("position"):
        criteria.setdefault(one.step_id, []).append(one)
    found = []
    for task in still_open:
        for one in criteria.get(task.step_id, []):
            attempt, evidence = proofs.get((task.pk, one.text), (None, ""))
            found.append(ToProve(one.pk, task.step.key, one.text, attempt, evidence))
    return tuple(found)


def verify_again(workstream: Workstream) -> tuple[ToProve, ...]:
    """What was proved in a workstream and has to be proved again, because its step is done again (AS-8, FR-021)."""
    again = Task.objects.filter(workstream=workstream, status__in=OPEN_TASK, attempts__checks__isnull=False)
    rows = again.select_related("step").order_by(*PLACE).distinct()
    return tuple(one for one in to_prove(list(rows)) if one.attempt is not None)


def _proofs(tasks: Sequence[Task]) -> dict[tuple[int, str], tuple[int | None, str]]:
    """(task, criterion's text) to the newest attempt that proved it, and how; texts outlive a version's rows."""
    checks = CriterionCheck.objects.filter(attempt__task__in=tasks).order_by("attempt__number")
    rows = checks.values_list("attempt__task_id", "criterion__text", "attempt__number", "evidence")
    return {(task, text): (number, evidence) for task, text, number, evidence in rows}


def _breadcrumbs(task: Task) -> tuple[Crumb, ...]:
    entries = HistoryEntry.objects.filter(
        workstream=task.workstream_id, action="breadcrumb left", subject__in=_subjects(task)
    )
    return tuple(Crumb(e.recorded_at, e.actor, e.subject, e.reason) for e in entries.order_by("sequence"))


def _returned(task: Task) -> tuple[Returned, ...]:
    subjects = [*_subjects(task), *_artifacts(task)]
    mine = HistoryEntry.objects.filter(workstream=task.workstream_id, action__in=DECIDED, subject__in=subjects)
    back = HistoryEntry.objects.filter(workstream=task.workstream_id, action=SENT_BACK)
    entries = [*mine, *(entry for entry in back if task.step.key in json.loads(entry.leaf)["data"].get("became", {}))]
    gates = {
        review.signed_at: review.attempt.task.step.key
        for review in GateReview.objects.filter(
            attempt__task__workstream=task.workstream_id, decision=GateDecision.REJECTED
        ).select_related("attempt__task__step")
    }
    return tuple(
        Returned(
            e.recorded_at, e.actor, e.action, e.reason, gates.get(e.recorded_at, "") if e.action == SENT_BACK else ""
        )
        for e in sorted(entries, key=lambda entry: entry.sequence)
    )


def _artifacts(task: Task) -> list[str]:
    return list(task.workstream.artifacts.filter(attempt__task=task).values_list("path", flat=True))


def _subjects(task: Task) -> list[str]:
    """How history names the attempts of a task."""
    return [f"{task.step.key} attempt {number}" for number in task.attempts.values_list("number", flat=True)]


def _own_outputs(task: Task) -> tuple[OutputFacts, ...]:
    rows = OutputFile.objects.filter(artifact__attempt__task=task).exclude(artifact__state=ArtifactState.QUARANTINED)
    newest = {row.path: row for row in rows.defer("content").order_by("artifact__sequence")}
    return tuple(OutputFacts(row.pk, row.path, row.sha256) for _, row in sorted(newest.items()))
