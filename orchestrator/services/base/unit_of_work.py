"""A unit of work: the one transaction of an act, and what waits in it for the end.

What everybody shares, such as the sequence of the history, is written last and all at once. Its lock is so
held for the few statements before the commit, however much the act has written before.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from orchestrator.services.base.locks import held_locks, let_go_since

Write = Callable[[Sequence[Any]], None]


class UnitOfWork:
    """Rows that wait to be written, in the order in which the act said them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Write, Any]] = []

    def at_the_end(self, write: Write, rows: Sequence[Any]) -> None:
        """Have `write` called once with all the rows that wait for it, when the act has done
        everything else.
        """
        self._waiting += [(write, row) for row in rows]

    @property
    def length(self) -> int:
        return len(self._waiting)

    def forget_since(self, length: int) -> None:
        del self._waiting[length:]

    def finish(self) -> None:
        """Write what waits, each kind at once, in the order in which the kinds were first named."""
        waiting, self._waiting = self._waiting, []
        for write in dict.fromkeys(write for write, _ in waiting):
            write([row for kind, row in waiting if kind is write])


class _Here(threading.local):
    unit: UnitOfWork | None = None


_here = _Here()


def current_unit() -> UnitOfWork:
    """The unit that this thread works in; RuntimeError when there is none."""
    if _here.unit is None:
        raise RuntimeError("An act writes in the transaction of a unit of work.")
    return _here.unit


@contextmanager
def unit_of_work() -> Iterator[None]:
    """The transaction of an act. Within another one it is a part of that: what the part has written, said and
    locked is taken back when it is refused, and the rest goes on.

    Inside, nobody reads what still waits for the end; behind it, everybody does.
    """
    outer = _here.unit
    unit = UnitOfWork() if outer is None else outer
    length, held = unit.length, held_locks()
    try:
        with transaction.atomic():
            _here.unit = unit
            yield
            if outer is None:
                unit.finish()
    except BaseException:
        unit.forget_since(length)
        let_go_since(held)
        raise
    finally:
        _here.unit = outer
