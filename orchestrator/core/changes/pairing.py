"""Which step of a version each step of the next one most likely is, whatever their keys (FR-016, FR-022).

Pages, REST and the changes between two versions all pair steps by the one suggestion (`suggestions.py`), so
that a list with one more line in front is not a list of other steps.
"""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.core.changes.judge import definition_of
from orchestrator.core.changes.mapping import Definition, StepMapping
from orchestrator.core.changes.suggestions import suggest
from orchestrator.core.plans.plan import Plan


def old_keys(old: Plan, new: Plan) -> Mapping[str, str]:
    """Key in the new plan -> key in the old one, of every step that is one step in both."""
    before, after = (list(map(definition_of, plan.placed_steps())) for plan in (old, new))
    lines = suggest(before, after)
    return {line.new[0]: line.old[0] for line in lines if len(line.old) == len(line.new) == 1}


def filled_up(
    lines: Iterable[StepMapping], old: Sequence[Definition], new: Sequence[Definition]
) -> tuple[StepMapping, ...]:
    """The lines, and what is suggested for the steps that they leave out."""
    given = tuple(lines)
    said = {key for line in given for key in line.old}
    taken = {key for line in given for key in line.new}
    rest = suggest([one for one in old if one.key not in said], [one for one in new if one.key not in taken])
    return (*given, *(line for line in rest if line.old and line.new))
