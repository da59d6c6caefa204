"""Dependencies that cannot hold: unknown names, circles, waiting for later batches (AD-1, BX-4)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.graph import Graph, cycles_of
from orchestrator.core.plans.plan import Plan, StepSpec
from orchestrator.core.plans.text.phrases import looks_like_key, read_group

#: Looking for a similar key is slow, so it is done for the first few unknown names only.
_SUGGESTIONS: Final = 20
_KEYS_COMPARED: Final = 2_000
_KEYS_SHOWN: Final = 8


def check_needs(plan: Plan, graph: Graph) -> Iterator[Finding]:
    stuck: set[str] = set()
    for found, keys in (_unknown(plan, graph), _later(plan, graph), _circles(plan, graph)):
        stuck |= keys
        yield from found
    yield from _unreachable(plan, graph, stuck)


def _unknown(plan: Plan, graph: Graph) -> tuple[list[Finding], set[str]]:
    suggest = _Suggestions(graph.keys)
    found, stuck = [], set()
    for step in plan.steps():
        for name, line in _names_used(step):
            if name in graph.order:
                continue
            stuck.add(step.key)
            if read_group(name):
                message = f"{step.key} waits for “{name}”, which is not a batch or stage before it."
            else:
                message = f"{step.key} names “{name[:80]}”, which is not in the plan."
            found.append(finding("unknown-dependency", line, message, suggest.fix(name)))
    return found, stuck


def _names_used(step: StepSpec) -> Iterator[tuple[str, int]]:
    yield from ((need.key, need.line or step.line) for need in step.needs)
    if step.gate:
        yield from ((name, step.line) for name in step.gate.unlocks if looks_like_key(name))


class _Suggestions:
    """The nearest key to a misspelt one."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._by_lower = {key.lower(): key for key in reversed(keys)}
        self._keys = keys[:_KEYS_COMPARED]
        self._left = _SUGGESTIONS

    def fix(self, name: str) -> str:
        near = self._by_lower.get(name.lower(), "")
        if not near and self._left:
            self._left -= 1
            near = next(iter(get_close_matches(name[:80], self._keys, n=1, cutoff=0.5)), "")
        return (
            f"Did you mean {near}? Correct the name." if near else "Correct the name, or add what it names."
        )


def _later(plan: Plan, graph: Graph) -> tuple[list[Finding], set[str]]:
    found, stuck = [], set()
    for step in plan.steps():
        for need in step.needs:
            if graph.group_of.get(need.key, -1) <= graph.group_of[step.key]:
                continue
            stuck.add(step.key)
            message = (
                f"{step.key} waits for {need.key}, which stands in a later batch and starts only "
                f"after {step.key}."
            )
            fix = f"Move {step.key} behind {need.key}, or take the dependency away."
            found.append(finding("dependency-on-later", need.line or step.line, message, fix))
    return found, stuck


def _circles(plan: Plan, graph: Graph) -> tuple[list[Finding], set[str]]:
    lines = {step.key: step.line for step in plan.steps()}
    found: list[Finding] = []
    stuck: set[str] = set()
    for path in cycles_of(graph):
        stuck.update(path)
        shown = list(path[:_KEYS_SHOWN]) + ["…"] * (len(path) > _KEYS_SHOWN)
        chain = " → ".join([*shown, path[0]])
        message = f"Steps wait for one another in a circle: {chain} (each needs the one before it)."
        line = min(lines[key] for key in path)
        found.append(finding("dependency-cycle", line, message, "Take one of these dependencies away."))
    return found, stuck


def _unreachable(plan: Plan, graph: Graph, stuck: set[str]) -> Iterator[Finding]:
    """Steps that are in order themselves but stand behind one that can never be done."""
    if not stuck:
        return
    behind = _behind(graph, stuck)
    first_group = min(graph.group_of[key] for key in stuck)
    lost = [
        step
        for step in plan.steps()
        if step.key not in stuck and (step.key in behind or graph.group_of[step.key] > first_group)
    ]
    if lost:
        keys = _some(step.key for step in lost)
        message = (
            f"{len(lost)} more steps can never start, because they stand behind a step that cannot: {keys}."
        )
        yield finding("unreachable", lost[0].line, message, "Correct the dependencies that are named above.")


def _behind(graph: Graph, stuck: set[str]) -> set[str]:
    after: dict[str, list[str]] = defaultdict(list)
    for key, edges in graph.needs.items():
        for edge in edges:
            after[edge.key].append(key)
    behind, todo = set(stuck), sorted(stuck)
    while todo:
        for key in after[todo.pop()]:
            if key not in behind:
                behind.add(key)
                todo.append(key)
    return behind


def _some(keys: Iterable[str]) -> str:
    shown = list(keys)
    return ", ".join(shown[:_KEYS_SHOWN]) + (" …" if len(shown) > _KEYS_SHOWN else "")
