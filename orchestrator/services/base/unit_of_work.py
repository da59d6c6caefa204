"""A unit of work: the one transaction of an act, and what waits in it for the end.

A row that several parts of an act change, such as the workstream's, is written once, when the act has done
everything else. What everybody shares, such as the sequence of the history, is written last of all: its lock
is so held for the few statements before the commit.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from orchestrator.services.base.locks import held_locks, held_rows, let_go_since
from orchestrator.services.base.turns import transaction_of_writer

Write = Callable[[Sequence[Any]], None]


class _WaitingRow(NamedTuple):
    """A row, and what writes it with all others of its kind."""

    write: Write
    row: Any
    last: bool


class UnitOfWork:
    """Rows that wait to be written, in the order in which the act said them."""

    def __init__(self) -> None:
        self._waiting: list[_WaitingRow] = []

    def at_the_end(self, write: Write, rows: Sequence[Any], *, last: bool = False) -> None:
        """Have `write` called once with all the rows that wait for it, when the act has done everything else.

        The kinds follow one another in the order in which they were first named; those that are `last` come
        behind all others. A writer has to bear the same row twice.
        """
        self._waiting += [_WaitingRow(write, row, last) for row in rows]

    @property
    def length(self) -> int:
        return len(self._waiting)

    def forget_since(self, length: int) -> None:
        del self._waiting[length:]

    def finish(self) -> None:
        """Write what waits, each kind at once; what a writer has to say comes behind, with the last ones."""
        self._write([one for one in self._waiting if not one.last])
        self._write([one for one in self._waiting if one.last])
        self._waiting = []

    @staticmethod
    def _write(waiting: Sequence[_WaitingRow]) -> None:
        for write in dict.fromkeys(one.write for one in waiting):
            write([one.row for one in waiting if one.write is write])


class _CurrentUnit(threading.local):
    unit: UnitOfWork | None = None


_here = _CurrentUnit()


def current_unit() -> UnitOfWork:
    """The unit that this thread works in; RuntimeError when there is none."""
    if _here.unit is None:
        raise RuntimeError("An act writes in the transaction of a unit of work.")
    return _here.unit


def in_unit() -> bool:
    """Whether this thread works in a unit."""
    return _here.unit is not None


@contextmanager
def unit_of_work() -> Iterator[None]:
    """The transaction of an act. Within another one it is a part of that: what the part has written, said and
    locked is taken back when it is refused, and the rest goes on.

    Inside, nobody reads what still waits for the end; behind it, everybody does.
    """
    outer = _here.unit
    unit = UnitOfWork() if outer is None else outer
    length, held = unit.length, held_locks()
    rows = [(row, dict(vars(row))) for row in held_rows()]
    try:
        with transaction_of_writer():
            _here.unit = unit
            yield
            if outer is None:
                unit.finish()
    except BaseException:
        unit.forget_since(length)
        let_go_since(held)
        for row, columns in rows:
            vars(row).update(columns)
        raise
    finally:
        _here.unit = outer
