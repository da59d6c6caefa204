"""Which of the things that wait for one another do so in a circle (AD-1)."""

from collections.abc import Iterator, Mapping, Sequence


def circles(needs: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """Groups of keys that all wait for one another, and keys that wait for themselves.

    `needs` has what each key waits for; names that are no key of it count for nothing. Takes time linear in
    keys and needs; groups stand in the order in which their first key is met.
    """
    search = _Search(needs)
    for key in needs:
        search.visit(key)
    return search.found


class _Search:
    """Tarjan's algorithm for strongly connected components, with a stack of its own: plans are deep."""

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        self.needs = needs
        self.found: list[frozenset[str]] = []
        self._number: dict[str, int] = {}
        self._lowest: dict[str, int] = {}
        self._open: list[str] = []
        self._is_open: set[str] = set()

    def visit(self, start: str) -> None:
        if start in self._number:
            return
        path: list[tuple[str, Iterator[str]]] = [self._enter(start)]
        while path:
            key, rest = path[-1]
            fresh = next((other for other in rest if self._is_fresh(key, other)), None)
            if fresh is not None:
                path.append(self._enter(fresh))
                continue
            path.pop()
            if path:
                above = path[-1][0]
                self._lowest[above] = min(self._lowest[above], self._lowest[key])
            if self._lowest[key] == self._number[key]:
                self._close(key)

    def _enter(self, key: str) -> tuple[str, Iterator[str]]:
        self._number[key] = self._lowest[key] = len(self._number)
        self._open.append(key)
        self._is_open.add(key)
        return key, iter(self.needs[key])

    def _is_fresh(self, key: str, other: str) -> bool:
        """Whether another key is met for the first time; of one on the way here its number is noted."""
        if other in self._is_open:
            self._lowest[key] = min(self._lowest[key], self._number[other])
        return other in self.needs and other not in self._number

    def _close(self, key: str) -> None:
        members: list[str] = []
        while not members or members[-1] != key:
            members.append(self._open.pop())
        self._is_open.difference_update(members)
        if len(members) > 1 or key in self.needs[key]:
            self.found.append(frozenset(members))
