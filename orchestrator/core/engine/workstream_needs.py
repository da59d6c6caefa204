"""Which workstream comes before which: circles, and an order in which each stands behind what it needs.

Requirements: AD-3.
"""

from collections.abc import Collection, Mapping


def circle_through(start: str, needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """A shortest way from `start` over what it needs back to itself, `start` first and last.

    Empty without one.
    """
    came_from: dict[str, str] = {}
    frontier = [start]
    while frontier:
        following: list[str] = []
        for name in frontier:
            for needed in sorted(needs.get(name, ())):
                if needed == start:
                    return (*_way(start, name, came_from), start)
                if needed not in came_from:
                    came_from[needed] = name
                    following.append(needed)
        frontier = following
    return ()


def _way(start: str, end: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def in_order(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Every name behind the ones it needs, otherwise by name; names outside are met.

    A circle is a ValueError.
    """
    left, placed = sorted(needs), []
    while left:
        free = next((name for name in left if not set(needs[name]) & set(left)), None)
        if free is None:
            raise ValueError(f"a circle among {', '.join(left)}")
        left.remove(free)
        placed.append(free)
    return placed
