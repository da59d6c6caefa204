"""What is wrong among tasks that are finished already is told and holds nothing (WF-8, AD-1).

A tracker keeps what was done with all its mistakes: a circle, a name that is gone, one key twice. Nobody
waits for any of it, so a plan is not refused because of it; the same among open tasks is left for the checks
to find.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from orchestrator.core.plans.circles import circles
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.graph import Graph, compile_graph
from orchestrator.core.plans.plan import Need, Plan, Progress, Reading, StepSpec
from orchestrator.core.terms import TaskStatus

_FINISHED: Final = frozenset({TaskStatus.COMPLETE, TaskStatus.CANCELLED, TaskStatus.SKIPPED})
_FIX: Final = "Nothing to do; correct the source if the task is to be done anew."


def settle_finished(reading: Reading) -> Reading:
    """The reading without what cannot hold among its finished tasks, each told with its line."""
    if reading.plan is None or not any(one.status in _FINISHED for one in reading.progress):
        return reading
    settler = _Settler(reading.plan, reading.progress)
    settler.rename()
    settler.drop_needs()
    findings = (*reading.findings, *settler.findings.all())
    return replace(reading, plan=settler.plan, progress=settler.progress, findings=findings)


class _Settler:
    def __init__(self, plan: Plan, progress: tuple[Progress, ...]) -> None:
        self.plan, self.progress = plan, progress
        self.findings = Findings()
        self._ended = {(one.key, one.line) for one in progress if one.status in _FINISHED}
        self._ended_keys = {key for key, _ in self._ended}
        self._times = Counter(step.key for step in plan.steps())

    def _is_finished(self, step: StepSpec) -> bool:
        """A key that stands twice is told apart by its line; a gate is never finished before it is signed
        here."""
        if step.gate:
            return False
        once = self._times[step.key] < 2
        return step.key in self._ended_keys if once else (step.key, step.line) in self._ended

    # -- one key twice

    def rename(self) -> None:
        """A finished step with the key of another finished one gets a key of its own."""
        if max(self._times.values(), default=1) < 2:
            return
        first: dict[str, StepSpec] = {}
        taken, counted = set(self._times), Counter[str]()
        renamed: dict[tuple[str, int], str] = {}

        def change(step: StepSpec) -> StepSpec:
            other = first.setdefault(step.key, step)
            if other is step or not (self._is_finished(step) and self._is_finished(other)):
                return step
            key = _free(step.key, taken, counted)
            renamed[step.key, step.line] = key
            message = (
                f"{step.key} stands on line {other.line} and again here, both finished; this one is read "
                f"as {key}."
            )
            self.findings.add("duplicate-id", step.line, message, _FIX)
            return replace(step, key=key)

        self.plan = self.plan.with_steps(change)
        self.progress = tuple(
            replace(one, key=renamed.get((one.key, one.line), one.key)) for one in self.progress
        )
        self._ended_keys |= set(renamed.values())
        self._times = Counter(step.key for step in self.plan.steps())

    # -- needs

    def drop_needs(self) -> None:
        graph = compile_graph(self.plan)
        finished = {step.key for step in self.plan.steps() if self._is_finished(step)}
        circle_of = _circles_among(graph, finished)

        def change(step: StepSpec) -> StepSpec:
            if step.key not in finished or not step.needs:
                return step
            kept = tuple(n for n in step.needs if not self._cannot_hold(step, n, graph, circle_of))
            return step if len(kept) == len(step.needs) else replace(step, needs=kept)

        self.plan = self.plan.with_steps(change)

    def _cannot_hold(
        self, step: StepSpec, need: Need, graph: Graph, circle_of: Mapping[str, frozenset[str]]
    ) -> bool:
        line = need.line or step.line
        if need.key not in graph.order:
            message = f"{step.key} is finished and names “{need.key[:80]}”, which is not in the plan."
        elif need.key == step.key:
            message = f"{step.key} is finished and names itself as what it waits for."
        elif need.key in circle_of.get(step.key, ()) and _stands_behind(need.key, step.key, graph):
            message = (
                f"{step.key} and {need.key} are finished and wait for one another in a circle; that "
                f"{step.key} waits for {need.key} is left out."
            )
        elif need.key in self._ended_keys and graph.group_of[need.key] > graph.group_of[step.key]:
            message = f"{step.key} is finished and names {need.key}, which stands in a later batch."
        else:
            return False
        self.findings.add("finished-dependency", line, message, _FIX)
        return True


def _free(key: str, taken: set[str], counted: Counter[str]) -> str:
    """The key with the next number that is free."""
    free = key
    while free in taken:
        counted[key] += 1
        free = f"{key}-{counted[key] + 1}"
    taken.add(free)
    return free


def _circles_among(graph: Graph, finished: set[str]) -> dict[str, frozenset[str]]:
    """The circle that each finished step stands in, if all of it is finished."""
    needs = {key: graph.needed(key) for key in graph.keys if key in finished}
    return {key: circle for circle in circles(needs) for key in circle}


def _stands_behind(key: str, other: str, graph: Graph) -> bool:
    return graph.order[key] > graph.order[other]
