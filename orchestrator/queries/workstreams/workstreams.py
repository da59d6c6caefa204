"""What the workstream page shows: where it stands, what is next, what is in the way (FR-002, FR-015)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import QuerySet

from orchestrator.contract.rework import ToProve
from orchestrator.core.engine.attention import lifecycle, signals
from orchestrator.core.terms import (
    COUNTED_TASK,
    DONE_TASK,
    ArtifactState,
    InterventionKind,
    Lifecycle,
    Signal,
    TaskStatus,
    WorkstreamStatus,
)
from orchestrator.models import (
    Batch,
    HandoffArtifact,
    Intervention,
    Learning,
    Policy,
    PreHandoffReview,
    RecordedVerdict,
    SchedulingDecision,
    Step,
    Task,
    WorkflowVersion,
    Workstream,
)
from orchestrator.queries.base.history import with_last_entry
from orchestrator.queries.base.sql import Joined, Table
from orchestrator.queries.engine.explanations import Explained
from orchestrator.queries.engine.present import WorkstreamParts
from orchestrator.queries.plans.effect import promised_version, undecided_version
from orchestrator.queries.work.rework import to_prove, to_verify_again, with_rework
from orchestrator.queries.work.tasks import TaskRow, task_rows
from orchestrator.queries.workstreams.portfolio import counts_of

#: The policy that the acceptance gate shows (LC-11).
DEFINITION_OF_DONE = "definition-of-done"
ROUNDS_SHOWN = 20
#: Tasks of a workstream whose page lists all of them; of a larger one it lists those of current batches.
LISTED = 120
STIRRED = frozenset({"needs-human", TaskStatus.BLOCKED, TaskStatus.ACTIVE, TaskStatus.REVIEW})


@dataclass(frozen=True, slots=True)
class BatchRows:
    """The tasks of a batch, in thread order."""

    batch: Batch
    rows: list[TaskRow]

    @property
    def done(self) -> int:
        return sum(row.task.status in DONE_TASK for row in self.rows)

    @property
    def total(self) -> int:
        return sum(row.task.status in COUNTED_TASK for row in self.rows)

    @property
    def current(self) -> bool:
        """Whether something happens in it: a task runs, is ready, waits for somebody or has failed."""
        return any(row.live or row.failed or row.state in STIRRED for row in self.rows)


@dataclass(frozen=True, slots=True)
class WorkstreamBoard:
    """The part of the page that is refreshed: everything that work changes."""

    workstream: Workstream
    lifecycle: Lifecycle
    signals: list[Signal]
    rows: list[TaskRow]
    batches: list[BatchRows]
    remaining: tuple[ToProve, ...]
    interventions: list[Intervention]
    damaged: list[HandoffArtifact]
    waiting_files: int
    rounds: list[SchedulingDecision]
    signature: PreHandoffReview | None
    #: A version of the plan that was submitted for work under way and is not decided (LC-3).
    undecided: WorkflowVersion | None
    #: A version that is approved and brings more work once it takes effect; asked for where all is done.
    promised: WorkflowVersion | None

    @property
    def total(self) -> int:
        return self.workstream.open_tasks + self.workstream.done_tasks

    @property
    def again(self) -> int:
        """How many criteria were proved before and have to be proved again (AS-8, FR-021)."""
        return len(to_verify_again(self.remaining))

    @property
    def current(self) -> list[TaskRow]:
        """What someone works on, may claim, or decides."""
        return [row for row in self.rows if row.live or row.state in {"needs-human", TaskStatus.BLOCKED}]

    @property
    def following(self) -> TaskRow | None:
        """The first task in order that has not been launched."""
        return next(
            (row for row in self.rows if row.task.status == TaskStatus.PENDING and not row.live), None
        )

    @property
    def open_gates(self) -> list[TaskRow]:
        return [row for row in self.rows if row.task.status == TaskStatus.REVIEW]

    @property
    def failed(self) -> list[TaskRow]:
        """Failures that somebody may follow up; one whose breaker is open waits for its answer first."""
        tripped = {
            intervention.task_id
            for intervention in self.interventions
            if intervention.kind == InterventionKind.BREAKER
        }
        return [row for row in self.rows if row.failed and row.task.pk not in tripped]

    @property
    def folds(self) -> bool:
        """Whether batches in which nothing happens are one line each; the dashboard has their tasks."""
        return len(self.rows) > LISTED

    @property
    def moving(self) -> bool:
        """Whether the page may change by itself."""
        return self.workstream.status == WorkstreamStatus.ACTIVE and self.workstream.open_tasks > 0


def board(workstream: Workstream, now: datetime, known: Explained, has: WorkstreamParts) -> WorkstreamBoard:
    """The workstream comes through `for_page`."""
    rows = task_rows(workstream, known, dropped=has.dropped)
    counts = counts_of(workstream)
    finished = lifecycle(counts) == Lifecycle.FINISHED
    files = _troubled(workstream) if has.files else []
    return WorkstreamBoard(
        workstream=workstream,
        lifecycle=lifecycle(counts),
        signals=sorted(signals(counts, now)),
        rows=rows,
        batches=_by_batch(rows),
        remaining=to_prove([row.task for row in rows], proved=has.proved),
        interventions=_questions(workstream) if has.questions else [],
        damaged=[file for file in files if file.state == ArtifactState.DAMAGED or file.problem],
        waiting_files=sum(file.state == ArtifactState.PENDING and not file.problem for file in files),
        rounds=_rounds(workstream),
        signature=getattr(workstream, "prehandoff", None),
        undecided=undecided_version(workstream) if has.undecided else None,
        promised=promised_version(workstream) if finished and has.promised else None,
    )


def for_page() -> QuerySet[Workstream]:
    """Workstreams with what their page says of each beside its tasks."""
    return with_last_entry(with_rework(Workstream.objects.select_related("prehandoff__reviewer")))


def _questions(workstream: Workstream) -> list[Intervention]:
    rows = Intervention.objects.filter(task__workstream=workstream, cleared_at=None)
    return list(rows.select_related("task__step"))


def _troubled(workstream: Workstream) -> list[HandoffArtifact]:
    """Artifacts that are lost or not committed yet."""
    waiting = [ArtifactState.DAMAGED, ArtifactState.PENDING]
    rows = HandoffArtifact.objects.filter(workstream=workstream, state__in=waiting)
    return list(rows.defer("body").select_related("attempt__task__step"))


def definition_of_done() -> Policy | None:
    return Policy.objects.filter(slug__startswith=DEFINITION_OF_DONE).order_by("slug").first()


def learnings_of(workstream: Workstream) -> list[Learning]:
    return list(
        Learning.objects.filter(workstream=workstream).select_related("author").order_by("-recorded_at")
    )


def _by_batch(rows: list[TaskRow]) -> list[BatchRows]:
    """A batch goes by its name: what an earlier version dropped from it stands with what is left of it."""
    groups: dict[tuple[int, str, str, str], list[TaskRow]] = defaultdict(list)
    for _, in_thread in groupby(rows, key=lambda row: row.task.step.thread_id):
        found = list(in_thread)
        batch = found[0].task.step.thread.batch
        groups[batch.stage.number, batch.stage.name, batch.prefix, batch.name] += found
    return [_batch_rows(group) for group in groups.values()]


def _batch_rows(rows: list[TaskRow]) -> BatchRows:
    rows.sort(key=lambda row: (row.task.step.thread.position, row.task.step.position))
    newest = max((row.task.step.thread.batch for row in rows), key=lambda batch: batch.stage.version_id)
    return BatchRows(newest, rows)


def _rounds(workstream: Workstream) -> list[SchedulingDecision]:
    """The latest rounds with their verdicts, each with its step."""
    rounds: dict[int, SchedulingDecision] = {}
    oldest = workstream.last_round - ROUNDS_SHOWN
    for found in _ROUNDS.rows(workstream.pk, oldest):
        decision = rounds.setdefault(found["decision"].pk, found["decision"])
        if not hasattr(decision, "launched"):
            decision.launched, decision.held = [], []  # type: ignore[attr-defined]
        verdict: RecordedVerdict | None = found["verdict"]
        if verdict is None:
            continue
        verdict.task = found["task"]
        verdict.task.step = found["step"]
        kept = decision.launched if verdict.launch_order else decision.held  # type: ignore[attr-defined]
        kept.append(verdict)
    return list(rounds.values())


_ROUNDS = Joined(
    {
        "decision": Table(SchedulingDecision),
        "verdict": Table(RecordedVerdict),
        "task": Table(Task, ("id", "step_id")),
        "step": Table(Step, ("id", "key")),
    },
    """orchestrator_schedulingdecision decision
LEFT JOIN orchestrator_recordedverdict verdict ON verdict.decision_id = decision.id
LEFT JOIN orchestrator_task task ON task.id = verdict.task_id
LEFT JOIN orchestrator_step step ON step.id = task.step_id
WHERE decision.workstream_id = %s AND decision.number > %s
ORDER BY decision.number DESC, verdict.launch_order, verdict.id""",
)
