"""What the execution dashboard says of a workstream, in the words of seed 002: for the page and for the file
(BX-6)."""

from dataclasses import dataclass

from orchestrator.core.files.marks import Mark, StepLine, overall, waiting_on
from orchestrator.core.plans.graph import bottleneck


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane over all its batches, or one thread of one batch, with its branch and worktree."""

    lane: str
    name: str
    branch: str
    worktree: str
    steps: tuple[StepLine, ...]

    @property
    def mark(self) -> Mark:
        return overall(self.steps)

    @property
    def done(self) -> int:
        return sum(step.mark is Mark.DONE for step in self.steps)

    @property
    def waiting(self) -> str:
        """What a blocked lane waits for: a step of its own that is stuck, or else of another lane."""
        if self.mark is not Mark.BLOCKED:
            return ""
        blocked = (step for step in self.steps if step.mark is Mark.BLOCKED)
        return next(filter(None, (step.key if step.stuck else step.holder for step in blocked)), "")


def lane_label(stage: str, batch: str, lane: str) -> str:
    """The row of the dashboard that a thread belongs to.

    A lettered lane goes on through batches. Numbers start anew in every batch, so a numbered thread is its
    own row.
    """
    return "/".join((stage, batch, lane)) if lane.isdigit() else lane


@dataclass(frozen=True, slots=True)
class GateBlock:
    """A merge point or another gate: what happens there and what it lets through."""

    title: str
    step: StepLine
    action: str
    unlocks: tuple[str, ...] = ()

    @property
    def waiting(self) -> str:
        """All its open triggers while it is blocked, else what its step says."""
        said = waiting_on(self.step.after) if self.step.mark is Mark.BLOCKED else ""
        return said or self.step.note

    @property
    def unlocking(self) -> str:
        return "Unlocked" if self.step.mark is Mark.DONE else "Will unlock"


@dataclass(frozen=True, slots=True)
class BatchBlock:
    """A batch in plan order; gates inside it are listed after its steps. `stage` is its stage's heading."""

    title: str
    steps: tuple[StepLine, ...]
    gates: tuple[GateBlock, ...] = ()
    stage: str = ""

    @property
    def label(self) -> str:
        """A batch of gates alone goes by its first gate."""
        return self.title if self.steps or not self.gates else self.gates[0].title

    @property
    def mark(self) -> Mark:
        """That of its steps, beside which gates have their own; a batch of gates alone has theirs."""
        return overall(self.steps or self.lines)

    @property
    def lines(self) -> tuple[StepLine, ...]:
        return (*self.steps, *(gate.step for gate in self.gates))


@dataclass(frozen=True, slots=True)
class DashboardView:
    """`updated` is the time of the last change; `path` is the critical path of what is open, in order."""

    title: str
    updated: str
    lanes: tuple[LaneRow, ...]
    batches: tuple[BatchBlock, ...]
    path: tuple[StepLine, ...] = ()

    @property
    def counted(self) -> tuple[int, int]:
        """Tasks that are done, and all of them; a gate stands in no lane, so lanes add up to less."""
        marks = [step.mark for batch in self.batches for step in batch.lines]
        return marks.count(Mark.DONE), len(marks)

    @property
    def way(self) -> str:
        """The critical path of what is open, gates in brackets."""
        gates = {gate.step.key for batch in self.batches for gate in batch.gates}
        return " → ".join(f"[{step.key}]" if step.key in gates else step.key for step in self.path)

    @property
    def bottleneck(self) -> StepLine | None:
        """What holds up the critical path and can be worked on; None when nothing is open."""
        steps = (step for batch in self.batches for step in batch.lines)
        lines = {step.key: step for step in (*self.path, *steps)}
        open_path = [step.key for step in self.path if step.mark is not Mark.DONE]
        return lines.get(bottleneck(open_path, {key: line.after for key, line in lines.items()}.get))

    def waiting_of(self, batch: BatchBlock) -> str:
        """What a blocked batch waits for: the first one that is not done, which stands before it."""
        first = next((one for one in self.batches if overall(one.lines) is not Mark.DONE), None)
        if batch.mark is not Mark.BLOCKED or first is None or first is batch:
            return ""
        return f"waiting on {first.label}"
