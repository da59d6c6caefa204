"""How texts are sorted, whatever the collation of the database is."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler


class ByCodePoint(Func):
    """A text in the order of its code points, as Python sorts it (EC-2).

    SQLite sorts so by itself; PostgreSQL sorts by the language that its database was made with.
    """

    template = "%(expressions)s"
    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template='%(expressions)s COLLATE "C"', **context)
