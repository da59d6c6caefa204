"""What a signature at a gate can be based on beside who handed over what (FR-006, AS-6).

Proof, tests, texts of outputs, what a rejection would do again, what was said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from orchestrator.core.engine.proof import named_in, run_that_proves
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import AttemptStatus, ExecutorKind, TaskStatus
from orchestrator.models import Attempt, CriterionCheck, Discussion, OutputFile, Task
from orchestrator.queries.engine.explanations import Explained
from orchestrator.queries.gates.gate_changes import Changes, changes_of
from orchestrator.queries.gates.gates import GateSheet, Incoming
from orchestrator.queries.work.proof import sentence_of, verified_by_run
from orchestrator.queries.work.tasks import TaskRow

#: Outputs of one result whose text is shown, and how much of each.
MOST_SHOWN: Final = 6
MOST_BYTES: Final = 8_000
MOST_LINES: Final = 60
#: Steps that work can return to of which it is said what that does again.
MOST_PREVIEWED: Final = 60
DISCUSSIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Proved:
    """A criterion with its evidence; `grounds` is the run that shows it, empty where it is asserted; `names`
    is what the evidence points at then."""

    check: CriterionCheck
    grounds: str
    names: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An output with the beginning of its text; `whole` says that it is all, `text` is empty of no text."""

    output: OutputFile
    text: str
    whole: bool


@dataclass(frozen=True, slots=True)
class ToolRun:
    """What a tool of this installation measured for a step: it did the step, or verified it."""

    row: TaskRow
    attempt: Attempt
    passed: bool

    @property
    def by(self) -> str:
        return verified_by_run(self.attempt) or self.row.task.step.tool or "a tool"

    @property
    def said(self) -> str:
        row = self.attempt.verification if verified_by_run(self.attempt) else None
        return sentence_of(row) if row else self.attempt.outcome


@dataclass(frozen=True, slots=True)
class Material:
    """One thing that came in, as it is judged."""

    incoming: Incoming
    proved: tuple[Proved, ...]
    texts: tuple[Shown, ...]
    changes: Changes | None

    @property
    def unshown(self) -> int:
        """Outputs of which no text is shown here."""
        return len(self.incoming.outputs) - len(self.texts)

    @property
    def asserted(self) -> int:
        return sum(not one.grounds for one in self.proved)


@dataclass(frozen=True, slots=True)
class Again:
    """What a return to `row` does again: the keys in order, how many results it throws away, and what runs
    and keeps it from happening now."""

    row: TaskRow
    keys: tuple[str, ...]
    thrown_away: int
    running: str

    @property
    def key(self) -> str:
        return self.row.task.step.key


@dataclass(frozen=True, slots=True)
class Weight:
    """How much came in, in one line."""

    results: int
    criteria: int
    asserted: int
    files: int
    added: int
    removed: int


def weight_of(material: Sequence[Material]) -> Weight:
    """What came in, each file once: a later result holds what the ones before it changed in a file."""
    files: dict[str, tuple[int, int]] = {}
    for file in (file for one in material if one.changes for file in one.changes.files):
        added, removed = files.get(file.path, (0, 0))
        files[file.path] = (max(added, file.added or 0), max(removed, file.removed or 0))
    return Weight(
        results=sum(one.incoming.attempt is not None for one in material),
        criteria=sum(len(one.proved) for one in material),
        asserted=sum(one.asserted for one in material),
        files=len(files),
        added=sum(added for added, _ in files.values()),
        removed=sum(removed for _, removed in files.values()),
    )


def material_of(gate: Task, incoming: Sequence[Incoming]) -> list[Material]:
    """Each thing that came in with its proof, its changes and the beginnings of its texts; one statement for
    these, two processes for those."""
    changes = changes_of(gate.workstream, incoming)
    wanted = [output.pk for one in incoming for output in one.outputs[:MOST_SHOWN]]
    contents = dict(OutputFile.objects.filter(pk__in=wanted).values_list("pk", "content"))
    return [
        Material(
            one,
            tuple(_proved(one)),
            _texts(one, contents),
            changes.get(one.attempt.pk) if one.attempt else None,
        )
        for one in incoming
    ]


def _texts(one: Incoming, contents: Mapping[int, bytes | memoryview]) -> tuple[Shown, ...]:
    return tuple(_shown(output, bytes(contents[output.pk])) for output in one.outputs[:MOST_SHOWN])


def measured(one: Incoming) -> bool:
    """Whether a tool of this installation did the step."""
    assignment = getattr(one.attempt, "assignment", None)
    return assignment is not None and assignment.executor.kind == ExecutorKind.TOOL


def _proved(one: Incoming) -> Iterator[Proved]:
    if one.attempt is None:
        return
    files = [PurePosixPath(output.path).name for output in one.outputs]
    for check in one.attempt.checks.all():
        grounds = run_that_proves(measured=measured(one), verified=verified_by_run(one.attempt))
        yield Proved(check, grounds, named_in(check.evidence, files=files, commit=one.attempt.commit))


def _shown(output: OutputFile, content: bytes) -> Shown:
    try:
        text = content[:MOST_BYTES].decode(errors="ignore" if len(content) > MOST_BYTES else "strict")
    except UnicodeDecodeError:
        return Shown(output, "", whole=False)
    if "\0" in text:
        return Shown(output, "", whole=False)
    lines = text.split("\n")
    whole = len(content) <= MOST_BYTES and len(lines) <= MOST_LINES
    return Shown(output, "\n".join(lines[:MOST_LINES]), whole)


def tool_runs(incoming: Sequence[Incoming]) -> list[ToolRun]:
    """What tools measured, in plan order; a run that failed passes where its step says what follows."""
    return [
        ToolRun(one.row, one.attempt, one.attempt.result in {"", "passed"})
        for one in incoming
        if one.attempt is not None and (measured(one) or verified_by_run(one.attempt))
    ]


def rejections(known: Explained, sheet: GateSheet) -> list[Again]:
    """What a rejection would do again, for each step that it can name, by the rule that does it."""
    if not sheet.waits:
        return []
    tasks = known.loaded.snapshot.tasks
    views = {view.key: view for view in tasks}
    return [
        _again(row, to_redo(tasks, row.task.step.key), views) for row in sheet.return_steps[-MOST_PREVIEWED:]
    ]


def _again(row: TaskRow, keys: Sequence[str], views: Mapping[str, TaskView]) -> Again:
    running = next((key for key in keys if views[key].live is AttemptStatus.RUNNING), "")
    begun = tuple(key for key in keys if views[key].status is not TaskStatus.PENDING or views[key].live)
    thrown = sum(views[key].status is TaskStatus.COMPLETE for key in keys)
    return Again(row, begun, thrown, running)


def discussed(gate: Task, incoming: Sequence[Incoming]) -> list[Discussion]:
    """What was said about the gate and the steps that it reviews, newest first; no drafts."""
    keys = [gate.step.key, *(one.row.task.step.key for one in incoming)]
    rows = Discussion.objects.filter(
        version__workflow=gate.workstream.version.workflow_id, step__in=keys, comments__sent_at__isnull=False
    )
    rows = rows.select_related("version").prefetch_related("comments").distinct().order_by("-pk")
    return list(rows[:DISCUSSIONS])
