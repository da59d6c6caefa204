"""The order that a plan's structure and its dependencies make (design section 3, FR-005, BX-4).

For the checks of a plan and its critical path: explicit dependencies, the order inside a thread, and barriers
between batches and stages. `core/engine/schedule.py` alone decides and explains; tests hold the two against
each other. Barriers are kept as groups, not as edges, so a plan of 50 batches with 200 steps each has 50
groups instead of two million edges. Everything here is deterministic and takes time linear in steps and
edges.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from itertools import groupby, starmap
from operator import itemgetter
from typing import Final, NamedTuple

from orchestrator.core.engine.order import OrderKey, Place, runs_of
from orchestrator.core.plans.plan import Plan, StepSpec
from orchestrator.core.terms import StepKind

CYCLES_SHOWN: Final = 10


class EdgeKind(StrEnum):
    """Why a step waits for another one."""

    EXPLICIT = "explicit"
    THREAD = "thread"
    BATCH = "batch"
    STAGE = "stage"


class Edge(NamedTuple):
    """`key` must be complete first."""

    key: str
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class Group:
    """A batch that has steps. All of it waits for all of the group before it."""

    stage: int
    batch: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Keys in plan order.

    Of steps with the same key only the first counts; unknown dependencies are left out.
    """

    keys: tuple[str, ...]
    order: Mapping[str, OrderKey]
    needs: Mapping[str, tuple[Edge, ...]]
    groups: tuple[Group, ...]
    group_of: Mapping[str, int]

    def needed(self, key: str) -> list[str]:
        """The steps that a step waits for by name or in its thread."""
        return [edge.key for edge in self.needs[key]]

    def barrier(self, key: str) -> tuple[Edge, ...]:
        """The steps of the group before the step's own: all must be complete (BX-4)."""
        position = self.group_of[key]
        if not position:
            return ()
        before = self.groups[position - 1]
        kind = EdgeKind.BATCH if before.stage == self.groups[position].stage else EdgeKind.STAGE
        return tuple(Edge(member, kind) for member in before.members)

    def predecessors(self, key: str) -> tuple[Edge, ...]:
        """Everything that the step waits for directly: its dependencies, then the barrier before it."""
        return self.needs[key] + self.barrier(key)


def compile_graph(plan: Plan) -> Graph:
    """The graph of a plan, whether or not the plan can run."""
    order: dict[str, OrderKey] = {}
    group_of: dict[str, int] = {}
    groups: list[Group] = []
    steps: dict[str, StepSpec] = {}
    for number, stage in enumerate(plan.stages):
        for place, batch in enumerate(stage.batches):
            members = []
            for position, step in (each for thread in batch.threads for each in enumerate(thread.steps)):
                if step.key not in steps:
                    steps[step.key] = step
                    order[step.key] = Place(number, place, 0, position).launch_key(step.key)
                    group_of[step.key] = len(groups)
                    members.append(step.key)
            groups += [Group(number, place, tuple(members))] if members else []
    needs = _needs(plan, steps)
    return Graph(tuple(steps), order, needs, tuple(groups), group_of)


def _needs(plan: Plan, steps: Mapping[str, StepSpec]) -> dict[str, tuple[Edge, ...]]:
    edges: dict[str, dict[str, EdgeKind]] = {}
    for key, step in steps.items():
        named = (need.key for need in step.needs if need.key in steps)
        edges[key] = dict.fromkeys(named, EdgeKind.EXPLICIT)
    for stage in plan.stages:
        for batch in stage.batches:
            for thread in batch.threads:
                for key, before in _thread_edges(thread.steps):
                    edges[key].setdefault(before, EdgeKind.THREAD)
    return {key: tuple(starmap(Edge, kinds.items())) for key, kinds in edges.items()}


def _thread_edges(steps: tuple[StepSpec, ...]) -> Iterator[tuple[str, str]]:
    """Pairs (step, step before it): runs of parallel steps start together and join before the next step."""
    before: list[str] = []
    numbered = zip(runs_of(step.parallel for step in steps), steps, strict=True)
    for _, run in groupby(numbered, key=itemgetter(0)):
        together = [step.key for _, step in run]
        yield from ((key, earlier) for key in together for earlier in before if key != earlier)
        before = together


def critical_path(plan: Plan, ended: Collection[str] = ()) -> tuple[str, ...]:
    """The longest chain of steps that wait for one another; () when there is a cycle.

    Length is minutes when every work step has an estimate, otherwise the number of steps. Of chains that are
    equally long the one through the later batch, then with the smaller key, is taken. Steps that have `ended`
    are not in it: nobody waits for them, only for what is open before them in their thread or batch.
    """
    graph = compile_graph(_without_needs_of(plan, ended) if ended else plan)
    length = step_lengths(plan, ended)[0]
    end: dict[str, int] = {}
    previous: dict[str, str] = {}

    def rank(key: str) -> tuple[int, bool, int, str]:
        # A gate takes no minutes: an open one goes before what has ended, or the path would begin behind it.
        return (-end[key], key in ended, -graph.group_of[key], key)

    last = ""
    for group in graph.groups:
        ordered = sorted_group(graph, group)
        if ordered is None:
            return ()
        for key in ordered:
            before = [edge.key for edge in graph.needs[key] if edge.key in end] + [last] * bool(last)
            if before:
                previous[key] = min(before, key=rank)
            end[key] = length[key] + (end[previous[key]] if before else 0)
        last = min(group.members, key=rank)
    return tuple(key for key in reversed(list(_chain(last, previous))) if key not in ended)


def open_before(graph: Graph, key: str, ended: Collection[str]) -> tuple[str, ...]:
    """What a step still waits for: those of its own dependencies that have not ended, then those of the
    batch before it (BX-4, BX-6).

    A step that names what it waits for is not said to wait for the rest of the batch as well.
    """
    named = tuple(before for before in graph.needed(key) if before not in ended)
    return named or tuple(edge.key for edge in graph.barrier(key) if edge.key not in ended)


def bottleneck(path: Iterable[str], waits: Callable[[str], Sequence[str] | None]) -> str:
    """The step that holds up the critical `path` of the rest now; "" when nothing is left (BX-6).

    It is the first step of the path, or, while that waits for another step that holds its files, the one
    at the end of that waiting. `waits` names the open steps that a step waits for; it is asked for the few
    that are met.
    """
    key, seen = next(iter(path), ""), set[str]()
    while key not in seen and (before := waits(key)):
        seen.add(key)
        key = before[0]
    return key


def _without_needs_of(plan: Plan, ended: Collection[str]) -> Plan:
    def bare(step: StepSpec) -> StepSpec:
        return replace(
            step, needs=() if step.key in ended else tuple(n for n in step.needs if n.key not in ended)
        )

    return plan.with_steps(bare)


def step_lengths(plan: Plan, ended: Collection[str] = ()) -> tuple[dict[str, int], bool]:
    """How long each step takes, and whether that is minutes: only when every work step has an estimate. Else
    1 each.

    Those that have `ended` take no time, and need no estimate.
    """
    steps = {step.key: step for step in reversed(list(plan.steps()))}
    work: list[StepSpec] = []
    for thread in plan.threads():
        # A gate's own action stands in the gate's thread; nobody estimates it.
        if all(step.kind is StepKind.WORK for step in thread.steps):
            work += [step for step in thread.steps if step.key not in ended]
    timed = bool(work) and all(step.estimate > 0 for step in work)
    lengths = {key: step.estimate if timed else 1 for key, step in steps.items()}
    return {**lengths, **dict.fromkeys(lengths.keys() & set(ended), 0)}, timed


def _chain(key: str, previous: Mapping[str, str]) -> Iterator[str]:
    while key:
        yield key
        key = previous.get(key, "")


def sorted_group(graph: Graph, group: Group) -> tuple[str, ...] | None:
    """The members of a group with those they wait for before them; None when they wait in a circle."""
    position = {key: number for number, key in enumerate(group.members)}
    if all(position.get(edge.key, -1) < position[key] for key in group.members for edge in graph.needs[key]):
        return group.members
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for key in group.members:
        sorter.add(key, *(edge.key for edge in graph.needs[key] if edge.key in position))
    try:
        return tuple(sorter.static_order())
    except CycleError:
        return None


def cycles_of(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Up to ten circles of dependencies and thread order; barriers are left out."""
    position = {key: number for number, key in enumerate(graph.keys)}
    if all(position[edge.key] < position[key] for key in graph.keys for edge in graph.needs[key]):
        return ()
    edges = {}
    for key in graph.keys:
        edges[key] = {edge.key for edge in graph.needs[key]}
    circles = []
    for _ in range(CYCLES_SHOWN):
        try:
            TopologicalSorter({key: sorted(before) for key, before in edges.items()}).prepare()
        except CycleError as error:
            path = error.args[1][:-1]
            first = path.index(min(path, key=position.__getitem__))
            circles.append(tuple(path[first:] + path[:first]))
            edges[path[0]].discard(path[-1])
        else:
            break
    return tuple(circles)
