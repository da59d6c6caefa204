"""What a user is told of a database that is away, that is locked or full, or that chose this act as the
victim.

All of these are refusals that say "try again" (503); what differs is whether it is known that the act was
undone.
"""

from collections.abc import Iterator
from typing import Final

from django.db import DataError, InterfaceError, OperationalError

from orchestrator.core.errors import DatabaseUnavailable, InvalidInput

#: What a database raises that did not do what it was asked, although nothing was wrong with it.
OUTAGES: Final = (OperationalError, InterfaceError)

#: What is raised for a value that no column holds, or that leaves the calendar in another zone. Entry points
#: refuse such values where they read them; this is for one that slipped through.
UNSTORABLE: Final = (DataError, OverflowError)

#: SQLSTATE of two acts that met (deadlock detected, serialization failure).
_VICTIM: Final = frozenset({"40P01", "40001"})
#: SQLSTATE of a lock that was waited for in vain (lock not available, query cancelled).
_HELD: Final = frozenset({"55P03", "57014"})
_FULL: Final = frozenset({"53100"})


def outage_in(error: BaseException | None) -> DatabaseUnavailable | None:
    """The refusal for an error that a database caused, directly or through others.

    None for any other error.
    """
    found = next((one for one in _chain(error) if isinstance(one, OUTAGES)), None)
    return outage(found) if found else None


def outage(error: OperationalError | InterfaceError) -> DatabaseUnavailable:
    state, said = getattr(error.__cause__, "sqlstate", None), str(error)
    if "no such table" in said or "unable to open database file" in said:
        return DatabaseUnavailable(
            "The database is not there, or has no tables.",
            recovery="Tell the operator to set DATA_DIR or DATABASE_URL right, or to run manage.py serve.",
        )
    if state in _VICTIM:
        return DatabaseUnavailable(
            "This met with something else that was done at the same moment, and was undone."
        )
    if state in _HELD or "database is locked" in said or "table is locked" in said:
        return DatabaseUnavailable(
            "The database is busy with something that takes long; what was begun is undone."
        )
    if state in _FULL or "disk is full" in said:
        return DatabaseUnavailable(
            "The database has no room left; what was begun is undone.",
            recovery="Tell the operator to make room on the database's disk, then try again.",
        )
    return DatabaseUnavailable("The database did not answer; it is unknown whether the call took effect.")


def unstorable() -> InvalidInput:
    return InvalidInput(
        "The request holds something that cannot be stored: a NUL, or a number or a date beyond all bounds.",
        recovery="Leave it out and try again; nothing was changed.",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
