"""Which live tasks of a batch hold what others of it want."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice

from orchestrator.core.engine.contention import Claims, Held
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import AttemptStatus


class Contenders:
    """Who is live and may contend.

    Claims in pieces, because one live holder of a piece is enough to wait for.
    """

    def __init__(self, views: Iterable[TaskView]) -> None:
        self._views = tuple(views)
        self._live: dict[Claims, dict[str, TaskView]] = {}
        self._rivals: dict[Claims, list[Claims]] = {}

    def add(self, view: TaskView) -> None:
        for piece in _pieces(view.claims):
            self._live.setdefault(piece, {})[view.key] = view

    def remove(self, view: TaskView) -> None:
        for piece in _pieces(view.claims):
            holders = self._live.get(piece, {})
            if holders.pop(view.key, None) and not holders:
                del self._live[piece]

    def against(self, views: Iterable[TaskView]) -> tuple[TaskView, ...]:
        """One live holder of every piece that meets what these views want."""
        if not self._live:
            return ()
        pieces = dict.fromkeys(piece for view in views for piece in _pieces(view.claims))
        rivals = dict.fromkeys(rival for piece in pieces for rival in self._rivals_of(piece))
        holders: dict[str, TaskView] = {}
        for rival in rivals:
            for holder in islice(self._live.get(rival, {}).values(), 1):
                holders[holder.key] = holder
        return tuple(replace(holder, live=AttemptStatus.QUEUED) for holder in holders.values())

    def _rivals_of(self, piece: Claims) -> list[Claims]:
        if piece not in self._rivals:
            wanted, held = self._wanted
            self._rivals[piece] = [wanted[number] for number in sorted(held.conflicts(piece))]
        return self._rivals[piece]

    @cached_property
    def _wanted(self) -> tuple[list[Claims], Held]:
        """Every piece that somebody wants; in many plans nobody ever has to ask."""
        held = Held()
        wanted = list(dict.fromkeys(piece for view in self._views for piece in _pieces(view.claims)))
        for piece in wanted:
            held.add(piece)
        return wanted, held


def _pieces(claims: Claims) -> Iterator[Claims]:
    if claims.lane_files:
        yield Claims(claims.lane, claims.lane_files)
    if claims.files:
        yield Claims(claims.lane, (), claims.files)
    for name in claims.resources:
        yield Claims(resources=(name,))
