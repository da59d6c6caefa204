"""How many steps of a plan stand behind each of them: what freeing it lets go on, at the most (FR-015)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter

from orchestrator.core.engine.order import number_runs
from orchestrator.core.engine.values import TaskView


def reach(steps: Sequence[TaskView]) -> dict[str, int]:
    """By key how many steps come after it by need, by thread or by a later batch: as many as
    `rework.to_redo` names beside it. Takes steps of a plan without a circle.

    Sets of steps are numbers, a bit for each step of the batch, so that long plans take no longer than they
    have to.
    """
    batches: dict[tuple[int, int], list[TaskView]] = defaultdict(list)
    for step in steps:
        batches[step.place[:2]].append(step)
    behind: dict[str, int] = {}
    later = 0
    for place in sorted(batches, reverse=True):
        behind |= {key: count + later for key, count in _in_batch(batches[place])}
        later += len(batches[place])
    return behind


def _in_batch(batch: Sequence[TaskView]) -> Iterator[tuple[str, int]]:
    followers = _followers(batch)
    bits = {step.key: 1 << number for number, step in enumerate(batch)}
    after: dict[str, int] = {}
    for key in TopologicalSorter(followers).static_order():
        after[key] = 0
        for follower in followers[key]:
            after[key] |= bits[follower] | after[follower]
        yield key, after[key].bit_count()


def _followers(batch: Sequence[TaskView]) -> Mapping[str, set[str]]:
    """Who comes directly after each step: who needs it, and the next run of its thread."""
    ordered = sorted(batch, key=lambda step: step.place)
    numbers = number_runs((step.key, step.place[:3], step.parallel) for step in ordered)
    runs: dict[tuple[int, int], set[str]] = defaultdict(set)
    for step in ordered:
        runs[step.place.thread, numbers[step.key]].add(step.key)
    followers = {step.key: set(runs.get((step.place.thread, numbers[step.key] + 1), ())) for step in ordered}
    for step in ordered:
        for need in step.needs:
            if need in followers:
                followers[need].add(step.key)
    return followers
