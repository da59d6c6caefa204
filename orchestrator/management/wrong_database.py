"""What a command says of a database that is not there or has no tables: a sentence instead of a traceback."""

from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection

#: In the words of SQLite and PostgreSQL, and what that means.
_NO_TABLES: Final = ("no such table", "does not exist", "undefined table")
_NOT_THERE: Final = (
    "unable to open database file",
    "could not connect",
    "connection refused",
    "connection failed",
)

_NO_DATABASE: Final = ("file is not a database", "disk image is malformed")


def wrong_database(error: BaseException) -> str:
    """Empty for any other error."""
    said = str(error).lower()
    if not isinstance(error, DatabaseError):
        return ""
    place = connection.settings_dict["NAME"] if connection.vendor == "sqlite" else "that DATABASE_URL names"
    if any(words in said for words in _NO_TABLES):
        found = f"The database {place} has no tables of the orchestrator."
    elif any(words in said for words in _NOT_THERE):
        found = f"The database {place} cannot be opened."
    elif any(words in said for words in _NO_DATABASE):
        return f"{place} is no database, or a damaged one. Put a backup back (`manage.py restore`)."
    else:
        return ""
    return (
        f"{found} Set DATA_DIR (now {settings.DATA_DIR}) or DATABASE_URL as the server has them, "
        "or start a new one with `manage.py serve`, which makes the tables."
    )
