"""Ages of work in progress by the step it stands at, against how old finished work was when it left that step
(FR-013)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from orchestrator.core.flow.percentiles import percentiles
from orchestrator.core.terms import GateKind, StageKind, StepKind

#: Where an item stands of which no step is launched.
BETWEEN = "between steps"
_GATES = {
    GateKind.REVIEW: "review",
    GateKind.RELEASE: "release",
    GateKind.EVALUATION: "evaluation",
    GateKind.MERGE: "merge point",
}
_STAGES = {StageKind.FIX: "fix stage", StageKind.DOCUMENTATION: "documentation", StageKind.NORMAL: "work"}
#: In the order in which work usually passes them.
KINDS = ("work", "merge point", "review", "fix stage", "evaluation", "release", "documentation", BETWEEN)


class StepPlace(NamedTuple):
    """A step as columns are made of it."""

    key: str
    kind: str
    gate_kind: str
    stage_kind: str


class AgeColumn(NamedTuple):
    """A column: its name, the items that stand there with their ages, and the percentiles of the ages at
    which finished items left it (none for fewer than ten; `n` is how many there were)."""

    name: str
    ages: list[tuple[int, timedelta]]
    past: dict[int, timedelta]
    n: int

    def at_least(self, age: timedelta) -> "AgeColumn":
        """The column with its older items only."""
        return self._replace(ages=[one for one in self.ages if one[1] >= age])

    def is_late(self, age: timedelta) -> bool:
        """Older than 85 % of finished items were when they left."""
        return bool(self.past) and age > self.past[85]


def kind_of(step: StepPlace) -> str:
    """The column of a step where workflows differ: gates by their kind, work by its stage's."""
    if step.kind == StepKind.GATE:
        return _GATES[GateKind(step.gate_kind)]
    return _STAGES[StageKind(step.stage_kind)]


def age_columns(
    names: Sequence[str],
    standing: Iterable[tuple[str, int, timedelta]],
    left: Iterable[tuple[str, timedelta]],
) -> list[AgeColumn]:
    """Columns in the order of `names`, those left out where nothing stands and nothing left.

    `standing` has the column, the item and its age for each item in progress; `left` the column and the age
    of finished items that left it.
    """
    ages: dict[str, list[tuple[int, timedelta]]] = defaultdict(list)
    for name, item, age in standing:
        ages[name].append((item, age))
    past: dict[str, list[timedelta]] = defaultdict(list)
    for name, age in left:
        past[name].append(age)
    return [
        AgeColumn(name, ages[name], percentiles(past[name]), len(past[name]))
        for name in names
        if ages[name] or past[name]
    ]
