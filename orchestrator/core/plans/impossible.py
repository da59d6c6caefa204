"""Dependencies that can never hold, and a reading without the ones that a reviewer dropped (AD-1).

A dropped dependency is no change of the text: the version that follows has the same text and is read without
it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.circles import circles
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.graph import Graph, compile_graph
from orchestrator.core.plans.plan import Plan, Reading, StepSpec

#: Findings that a dropped dependency clears.
IMPOSSIBLE: Final = frozenset({"unknown-dependency", "dependency-cycle", "dependency-on-later"})
#: (step, what it waits for), by key.
NeedPair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ImpossibleNeed:
    """That `step` waits for `need`, with its line and why that can never hold."""

    step: str
    need: str
    line: int
    why: str


def names_impossible(findings: Iterable[Finding]) -> bool:
    """Whether one of the findings is about a dependency that may be left out."""
    return any(one.code in IMPOSSIBLE for one in findings)


def impossible_needs(plan: Plan) -> tuple[ImpossibleNeed, ...]:
    """Every dependency that names nothing, closes a circle or stands in a later batch, in plan order."""
    graph = compile_graph(plan)
    found = circles({key: graph.needed(key) for key in graph.keys})
    circle_of = {key: circle for circle in found for key in circle}
    return tuple(one for step in plan.steps() for one in _of_step(step, graph, circle_of))


def _of_step(step: StepSpec, graph: Graph, circle_of: dict[str, frozenset[str]]) -> Iterator[ImpossibleNeed]:
    for need in step.needs:
        if need.key not in graph.order:
            why = f"nothing in the plan is called “{need.key[:80]}”"
        elif need.key in circle_of.get(step.key, ()):
            why = f"{need.key} waits for {step.key}, too" if need.key != step.key else "it waits for itself"
        elif graph.group_of[need.key] > graph.group_of[step.key]:
            why = f"{need.key} stands in a later batch"
        else:
            continue
        yield ImpossibleNeed(step.key, need.key, need.line or step.line, why)


def without_needs(reading: Reading, dropped: Collection[NeedPair]) -> Reading:
    """The reading without these dependencies; each is told where it stands."""
    plan = reading.plan
    if plan is None or not dropped:
        return reading
    told = []

    def change(step: StepSpec) -> StepSpec:
        gone = [need for need in step.needs if (step.key, need.key) in dropped]
        for need in gone:
            message = f"The review dropped that {step.key} waits for “{need.key[:80]}”."
            line = need.line or step.line
            told.append(finding("dropped-dependency", line, message, "Nothing to do; the history says why."))
        return replace(step, needs=tuple(n for n in step.needs if n not in gone)) if gone else step

    plan = plan.with_steps(change)
    return replace(reading, plan=plan, findings=(*reading.findings, *told))
