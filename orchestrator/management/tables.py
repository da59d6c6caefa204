"""Whether the tables of a database are those that this version makes.

Until one is released, each makes its one migration anew under the same name.
"""

from django.apps import apps
from django.db import connection

from orchestrator.models import SearchEntry


def other_columns() -> list[str]:
    """`table.column` of each that only the database or only this version has."""
    other: set[str] = set()
    inspect = connection.introspection
    with connection.cursor() as cursor:
        there = set(inspect.table_names(cursor))
        for model in apps.get_app_config("orchestrator").get_models(include_auto_created=True):
            table = model._meta.db_table
            rows = inspect.get_table_description(cursor, table) if table in there else []
            wanted = {field.column for field in model._meta.concrete_fields}
            found = {row.name for row in rows}
            # The index of what is searched has a column of its own on PostgreSQL.
            differing = wanted - found if model is SearchEntry else wanted ^ found
            other |= {f"{table}.{name}" for name in differing}
    return sorted(other)
