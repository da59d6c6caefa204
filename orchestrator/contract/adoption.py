"""What becomes of the state that a plan's source tells of its tasks (WF-8)."""

from dataclasses import dataclass

from orchestrator.core.changes.adoption import AdoptedAs
from orchestrator.core.terms import TaskStatus


@dataclass(frozen=True)
class AdoptedFacts:
    """A task that the source tells something of, in `line`: its status there, what it becomes here, and
    why."""

    key: str
    line: int
    said: TaskStatus
    becomes: AdoptedAs
    because: str


@dataclass(frozen=True)
class AdoptionFacts:
    """What approval does with the state that the source tells, if the plan is submitted with it.

    `counts` has the number of tasks by what they become; `sentences` say the same for people. `starts` are
    the keys of the steps that are launched first.
    """

    counts: dict[AdoptedAs, int]
    sentences: tuple[str, ...]
    starts: tuple[str, ...]
    tasks: tuple[AdoptedFacts, ...]
