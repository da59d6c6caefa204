"""Order computed from the compiled graph alone, as an oracle for the scheduler, which knows nothing of it."""

from orchestrator.core.plans.graph import compile_graph, sorted_group
from orchestrator.core.plans.plan import Plan


def launch_order(plan: Plan) -> tuple[str, ...]:
    """All keys in the order in which they launch when several may (FR-005)."""
    graph = compile_graph(plan)
    return tuple(sorted(graph.keys, key=graph.order.__getitem__))


def launch_groups(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Serial groups of keys that can start together once everything before is complete.

    () when there is a cycle.
    """
    graph = compile_graph(plan)
    level: dict[str, int] = {}
    floor = 0
    for group in graph.groups:
        ordered = sorted_group(graph, group)
        if ordered is None:
            return ()
        for key in ordered:
            level[key] = max((level[e.key] + 1 for e in graph.needs[key] if e.key in level), default=floor)
            level[key] = max(level[key], floor)
        floor = max(level[key] for key in group.members) + 1
    found: list[list[str]] = [[] for _ in range(floor)]
    for key in sorted(graph.keys, key=graph.order.__getitem__):
        found[level[key]].append(key)
    return tuple(tuple(group) for group in found)
