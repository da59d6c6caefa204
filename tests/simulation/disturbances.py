"""What goes wrong in a simulation, and how often: all of it is decided by one seed."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.db import connection
from django.db.utils import OperationalError

from tests.model.workspaces import Killed

#: How statements begin that belong to a transaction's own control: nothing dies there that dies nowhere else.
CONTROL = ("SAVEPOINT", "RELEASE", "PRAGMA", "BEGIN")
#: A process is killed, or loses its database, at one of so many statements from where it began.
REACH = 45


@dataclass
class Disturbances:
    """Each chance is of one call, message or write; `over` ends all of them, so that work can end."""

    random: Random
    over: bool = False
    #: What happened, by its name.
    counted: Counter[str] = field(default_factory=Counter)

    def happens(self, name: str, chance: float) -> bool:
        if self.over or self.random.random() >= chance:
            return False
        self.counted[name] += 1
        return True


@contextmanager
def dying_at(number: int) -> Iterator[None]:
    """The process is killed before its statement of this number, inside a transaction or between two."""
    with connection.execute_wrapper(_At(number, Killed)):
        yield


@contextmanager
def cut_off_at(number: int) -> Iterator[None]:
    """The database is gone from the statement of this number on."""
    with connection.execute_wrapper(_At(number, _gone, stays=True)):
        yield


def _gone() -> Exception:
    # The words of a server that went away; SQLite says it of a file that somebody else holds.
    return OperationalError(
        "database is locked" if connection.vendor == "sqlite" else "server closed the connection"
    )


class _At:
    """Raises at one statement, or from it on."""

    def __init__(self, number: int, kind: Callable[[], BaseException], stays: bool = False) -> None:
        self.left, self.kind, self.stays = number, kind, stays

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(CONTROL):
            self.left -= 1
        if self.left == 0 or (self.stays and self.left < 0):
            raise self.kind()
        return execute(sql, params, many, context)
