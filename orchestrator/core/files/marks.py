"""How a step, a lane and a batch are marked on the dashboard (BX-6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.engine.together import together


class Mark(StrEnum):
    """The legend of the dashboard."""

    DONE = "✅"
    ACTIVE = "🔄"
    BLOCKED = "⏸️"
    RUNNABLE = "⏳"

    @property
    def word(self) -> str:
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step and its mark; `note` says what it waits for or who does it, `holder` the key it waits for.

    `after` are the open steps that it waits for. `stuck` says that its own state stops it: it has failed, is
    blocked, or asks somebody.
    """

    key: str
    title: str
    mark: Mark
    note: str = ""
    holder: str = ""
    after: tuple[str, ...] = ()
    stuck: bool = False


def overall(steps: Iterable[StepLine]) -> Mark:
    """The mark of a group: done when all are, active while somebody works in it, else runnable or blocked.

    What has begun and waits for others counts as active; where a step is stuck and nothing else can start, it
    is blocked.
    """
    lines = list(steps)
    marks = {step.mark for step in lines}
    if marks <= {Mark.DONE}:
        return Mark.DONE
    if Mark.ACTIVE in marks:
        return Mark.ACTIVE
    if any(step.stuck for step in lines):
        return Mark.RUNNABLE if Mark.RUNNABLE in marks else Mark.BLOCKED
    if Mark.DONE in marks:
        return Mark.ACTIVE
    return Mark.RUNNABLE if Mark.RUNNABLE in marks else Mark.BLOCKED


def waiting_on(keys: Sequence[str]) -> str:
    """What a merge point waits for in the words of seed 002; all its triggers, a long list shortened."""
    return f"waiting on {together(keys)}" if keys else ""
