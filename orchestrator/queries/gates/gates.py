"""What the gate pages show: what waits for a signature, what came in, what it holds (FR-006, BX-3, WF-5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models.functions import Lower

from orchestrator.core.engine.signatures import Signer, SignOff, sign_off
from orchestrator.core.errors import NotFound
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState, AttemptStatus, GateKind, StepKind, TaskStatus
from orchestrator.models import Attempt, GateReview, HandoffArtifact, OutputFile, Task
from orchestrator.queries.base.sorting import in_order
from orchestrator.queries.engine.explanations import Explained, explained
from orchestrator.queries.engine.present import present_of
from orchestrator.queries.engine.signatures import Signatures, reviewed_steps, signers_by_gate
from orchestrator.queries.work.places import touched_of
from orchestrator.queries.work.tasks import (
    TaskRow,
    attempts_with_evidence,
    neighbours,
    outputs_of,
    task_rows,
)

DECIDED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Incoming:
    """A step that came before the gate, with the attempt that counts and what it handed over."""

    row: TaskRow
    attempt: Attempt | None
    artifacts: list[HandoffArtifact]
    outputs: list[OutputFile]


@dataclass(frozen=True, slots=True)
class Touched:
    """Files in the commit of a step that neither it nor its lane owns (BX-5)."""

    row: TaskRow
    paths: list[str]


@dataclass(frozen=True, slots=True)
class GateSheet:
    """Everything a signature needs to be based on."""

    row: TaskRow
    attempts: list[Attempt]
    reviewers: list[str]
    asked: Signatures
    incoming: list[Incoming]
    touched: list[Touched]
    holds: list[TaskRow]
    unlocks: list[TaskRow]
    return_steps: list[TaskRow]

    @property
    def sign_off(self) -> SignOff:
        """How far the signatures are."""
        return self.asked.sign_off()

    @property
    def waits(self) -> bool:
        return self.row.live is not None

    @property
    def signatures(self) -> list[GateReview]:
        """Those of the attempt that waits."""
        waits = self.waits and self.attempts
        return list(self.attempts[0].reviews.all()) if waits else []

    @property
    def newest_decision(self) -> int:
        """Which one of them is the newest; 0 without any."""
        return max((review.pk for review in self.signatures), default=0)

    @property
    def rejected(self) -> bool:
        """Whether its last decision was a rejection."""
        return bool(self.attempts) and self.attempts[0].status == AttemptStatus.REJECTED


@dataclass(frozen=True, slots=True)
class WaitingGate:
    """A gate that waits, and how far its sign-off is."""

    task: Task
    sign_off: SignOff


#: What a reader may sort the gates that wait by.
SORTS: Final = {
    "gate": Lower("step__title"),
    "workstream": Lower("workstream__title"),
    "kind": "step__gate_kind",
    "since": "attempts__queued_at",
}


def waiting_gates(sort: str = "") -> list[WaitingGate]:
    """Gates that wait for a signature, longest wait first, or by a column of `SORTS`."""
    waiting = Task.objects.filter(step__kind=StepKind.GATE, attempts__status=AttemptStatus.QUEUED)
    rows = waiting.select_related("step", "workstream").prefetch_related("step__reviewers")
    signers = signers_by_gate(waiting)
    ordered = rows.order_by(*in_order(sort, SORTS, ("attempts__queued_at", "pk")))
    return [WaitingGate(task, _sign_off(task, signers)) for task in ordered]


def _sign_off(gate: Task, signers: Mapping[int, tuple[Signer, ...]]) -> SignOff:
    names = [reviewer.name for reviewer in gate.step.reviewers.all()]
    return sign_off(names, gate.step.signatures, signers.get(gate.pk, ()))


def decided_gates() -> list[GateReview]:
    """The latest decisions."""
    reviews = GateReview.objects.select_related(
        "attempt__task__step", "attempt__task__workstream", "reviewer"
    )
    counted = reviews.filter(withdrawn_at=None).exclude(attempt__status=AttemptStatus.QUEUED)
    return list(counted.select_related("return_step").order_by("-signed_at", "-pk")[:DECIDED_SHOWN])


def find_gate(task_id: int) -> Task:
    gates = Task.objects.filter(pk=task_id, step__kind=StepKind.GATE)
    task = gates.select_related("step", "workstream__version__workflow").first()
    if task is None:
        raise NotFound("There is no such gate.")
    return task


def gate_sheet(gate: Task, known: Explained | None = None) -> GateSheet:
    """What a signer looks at; `known` is its workstream, where it was read already."""
    known = known or explained(gate.workstream)
    rows = task_rows(gate.workstream, known, dropped=present_of(gate).dropped)
    row = next(row for row in rows if row.task.pk == gate.pk)
    here = batch_place(row)
    before = _came_in(row, rows, known)
    later = [other for other in rows if batch_place(other) > here]
    attempts = attempts_with_evidence([row, *before])
    names = tuple(gate.step.reviewers.values_list("name", flat=True))
    signers = _signers(row, known)
    return GateSheet(
        row=row,
        attempts=[attempt for attempt in attempts if attempt.task_id == gate.pk],
        reviewers=list(names),
        asked=Signatures(names, gate.step.signatures, signers),
        incoming=_incoming(before, attempts),
        touched=_touched([other for other in rows if batch_place(other) <= here]),
        holds=[other for other in later if other.task.status == TaskStatus.PENDING and not other.live],
        unlocks=_unlocks(row, later, known),
        return_steps=[other for other in rows if batch_place(other) <= here and _may_return(other)],
    )


def batch_place(row: TaskRow) -> tuple[int, int]:
    batch = row.task.step.thread.batch
    return batch.stage.position, batch.position


def _signers(gate: TaskRow, known: Explained) -> tuple[Signer, ...]:
    """Who signed the attempt that waits: as it was read, unless a later version dropped the gate."""
    views = (view for view in known.loaded.snapshot.tasks if view.key == gate.task.step.key)
    view = next(views, None)
    if view is None or gate.live is None:
        return ()
    return view.signers


def _came_in(gate: TaskRow, rows: list[TaskRow], known: Explained) -> list[TaskRow]:
    """An evaluation looks at its stage, other gates at what they need, or else at the batch before them."""
    stage, batch = batch_place(gate)
    if gate.task.step.gate_kind == GateKind.EVALUATION:
        in_stage = [row for row in rows if batch_place(row)[0] == stage and batch_place(row)[1] <= batch]
        return [row for row in in_stage if row.task.pk != gate.task.pk]
    lane = [task for task in known.loaded.tasks.values() if task.step.thread_id == gate.task.step.thread_id]
    keys = {task.step.key for task in lane}
    naming = any(view.needs for view in known.loaded.snapshot.tasks if view.key in keys)
    named = naming or any(not task.step.is_gate for task in lane) if lane else None
    reviewed = set(reviewed_steps(gate.task.step, named).values_list("pk", flat=True))
    return [row for row in rows if row.task.step_id in reviewed]


def _touched(rows: list[TaskRow]) -> list[Touched]:
    """Of every step up to the gate, in the results that stand; a gate may name only the last of a lane."""
    latest = {}
    for row in rows:
        done = [attempt for attempt in row.attempts if attempt.status == AttemptStatus.COMPLETED]
        if done and row.task.status == TaskStatus.COMPLETE:
            latest[max(done, key=lambda attempt: attempt.number).pk] = row
    return [Touched(latest[pk], paths) for pk, paths in touched_of(list(latest)).items()]


def _unlocks(gate: TaskRow, later: list[TaskRow], known: Explained) -> list[TaskRow]:
    """What the plan says the gate unlocks, or else the batch behind it."""
    _, naming = neighbours(gate.task.step, known)
    named = [row for row in later if row.task.step.key in naming]
    return named or [row for row in later if batch_place(row) == batch_place(later[0])]


def _may_return(row: TaskRow) -> bool:
    """Work can go back to a step that was completed at least once."""
    done = any(attempt.status == AttemptStatus.COMPLETED for attempt in row.attempts)
    return done and not row.task.step.is_gate


def _incoming(rows: list[TaskRow], attempts: list[Attempt]) -> list[Incoming]:
    """`attempts` are those of the rows, newest first."""
    ids = [row.task.pk for row in rows]
    completed = [one for one in attempts if one.status == AttemptStatus.COMPLETED]
    latest = {attempt.task_id: attempt for attempt in reversed(completed)}
    counted = [attempt.pk for attempt in latest.values()]
    handed_over = HandoffArtifact.objects.filter(attempt__in=counted, event__in=RESULT_EVENTS)
    handed_over = handed_over.exclude(state=ArtifactState.QUARANTINED)
    artifacts = list(handed_over.defer("body").order_by("sequence"))
    outputs = outputs_of(ids) if artifacts else []
    incoming = []
    for row in rows:
        attempt = latest.get(row.task.pk)
        own = [artifact for artifact in artifacts if attempt and artifact.attempt_id == attempt.pk]
        files = [output for output in outputs if attempt and output.artifact.attempt_id == attempt.pk]
        incoming.append(Incoming(row, attempt, own, files))
    return incoming
