"""Moments as the database holds them: of SQLite the text, which costs as much to read as all the rest."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Func, TextField
from django.utils.dateparse import parse_datetime

from orchestrator.queries.base.sql import aware

#: How long the text of a moment is that SQLite holds, without and with a fraction.
_MOMENTS: Final = (len("2026-11-30 09:00:00"), len("2026-11-30 09:00:00.000001"))


class Stored(Func):
    """A column of moments, not read yet: `written` does that."""

    template = "%(expressions)s"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS TEXT)", **more)


def written(moment: datetime | str) -> str:
    """A moment as entries write it; of a text that is unlike what SQLite holds, what Django reads in it."""
    if isinstance(moment, datetime):
        return moment.isoformat()
    if len(moment) in _MOMENTS:
        return f"{moment[:10]}T{moment[11:]}+00:00"
    read = parse_datetime(moment)
    return aware(read).isoformat() if read else ""
