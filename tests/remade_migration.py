"""`make migration`: the one migration, made again from the models, until a version is released.

Django adds every constraint and index by an operation of its own, for which SQLite makes the whole table
again. Here they stand in the operation that makes the table, where that has the fields they speak of already:
a first start takes less time.
"""

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import django
from django.core.management import call_command
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, Migration
from django.db.migrations.migration import SwappableTuple
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter

FILE: Final = Path(__file__).resolve().parent.parent / "orchestrator" / "migrations" / "0001_initial.py"
MODULE: Final = "orchestrator.migrations.0001_initial"


def inlined(operations: list[Operation]) -> list[Operation]:
    """The same tables with fewer operations."""
    made = {one.name_lower: one for one in operations if isinstance(one, CreateModel)}
    late: dict[str, set[str]] = {name: set() for name in made}
    for one in operations:
        if isinstance(one, AddField):
            late[one.model_name_lower].add(one.name)
    kept = []
    for one in operations:
        if not isinstance(one, AddConstraint | AddIndex) or speaks_of(one, late[one.model_name_lower]):
            kept.append(one)
        elif isinstance(one, AddConstraint):
            made[one.model_name_lower].options.setdefault("constraints", []).append(one.constraint)
        else:
            made[one.model_name_lower].options.setdefault("indexes", []).append(one.index)
    return kept


def speaks_of(operation: AddConstraint | AddIndex, fields: set[str]) -> bool:
    """Whether it names one of the fields, perhaps by what it leads to."""
    what = operation.constraint if isinstance(operation, AddConstraint) else operation.index
    words = set(re.findall(r"\w+?(?=__|\W|$)", repr(what.deconstruct())))
    return bool(words & fields)


def main() -> None:
    FILE.unlink(missing_ok=True)
    call_command("makemigrations", "orchestrator", skip_checks=True, verbosity=0)
    found: type[Migration] = import_module(MODULE).Migration
    migration = found("0001_initial", "orchestrator")
    migration.operations = inlined(list(found.operations))
    user = ("__setting__", "AUTH_USER_MODEL")
    migration.dependencies = [user if isinstance(one, SwappableTuple) else one for one in found.dependencies]
    FILE.write_text(MigrationWriter(migration).as_string(), encoding="utf-8")


if __name__ == "__main__":
    django.setup()
    sys.exit(main())
