"""The approved plan that hundreds of tests begin with.

It is started once in a test process, really, through pages or services as the driver does it. Then
its rows and its workspace are put back: only into an empty database, for the same people, and in a
test that patches nothing.
`tests/test_starts.py` proves that both are equal.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, Protocol

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

from orchestrator.models import OpenSession, Workstream
from tests import settings as plain

FOLDERS: Final = ("WORKSPACE_DIR", "REPOSITORIES_DIR", "WORKTREES_DIR")
#: Settings that are others in every test: its folders, and what Django itself adds to.
VARYING: Final = frozenset({*FOLDERS, "TURNS_DIR", "HISTORY_KEY_FILE", "ALLOWED_HOSTS", "STATIC_URL"})
#: Apps whose rows are put back. Not the accounts, which are there before, nor their sessions.
APPS: Final = ("orchestrator", "django_q")
#: Written by triggers of the other tables.
INDEX: Final = "orchestrator_searchentry"
Rows = list[tuple[Any, ...]]


class Player(Protocol):
    """A driver, and what it knows after a start."""

    now: datetime
    workstream: Workstream | None


@dataclass(frozen=True)
class Start:
    """What a start left: its rows by table, a copy of the workspace, and what its driver knew."""

    rows: dict[str, Rows]
    files: Path
    now: datetime
    workstream: int


_starts: dict[tuple[object, ...], Start] = {}
_patches: list[pytest.MonkeyPatch] = []


def enter(patches: pytest.MonkeyPatch) -> None:
    """A test begins; what it patches may make its start another one than those of other tests."""
    _patches[:] = [patches]


def start(driver: Player, source: bytes, really: Callable[[bytes], None]) -> None:
    """Start `source` with `really`, or put back what that left in this process before."""
    if not _is_plain(driver) or _any_row() or _any_folder():
        really(source)
        return
    key = (type(driver), driver.now, source, *_people())
    if key in _starts:
        _put_back(driver, _starts[key])
        return
    really(source)
    if _is_plain(driver):
        _starts[key] = _kept(driver)


def _kept(driver: Player) -> Start:
    assert driver.workstream is not None
    folder = Path(mkdtemp(prefix="start-", dir=settings.DATA_DIR))
    _copy(_workspace().parent, folder)
    rows = {table: rows for table, rows in rows_now().items() if rows}
    return Start(rows, folder, driver.now, driver.workstream.pk)


def _put_back(driver: Player, kept: Start) -> None:
    """Write rows and files. Ids are the recorded ones."""
    with connection.cursor() as cursor:
        # Foreign keys are checked when the test ends, so any order of tables will do. What triggers make of
        # rows whose neighbours are not there yet is written over.
        for table, rows in sorted(kept.rows.items(), key=lambda entry: entry[0] == INDEX):
            if table == INDEX:
                cursor.execute(f"DELETE FROM {table}")
            row = f"({', '.join(['%s'] * len(_tables()[table]))})"
            values = [value for row_values in rows for value in row_values]
            columns = ", ".join(_tables()[table])
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * len(rows))}", values)
    count_on(model for model in _models() if model._meta.db_table in kept.rows)
    _copy(kept.files, _workspace().parent)
    driver.now, driver.workstream = kept.now, Workstream.objects.get(pk=kept.workstream)


def _people() -> list[tuple[Any, ...]]:
    """Who is there, in which roles: a start goes by that too."""
    people = User.objects.order_by("pk").values_list(
        "pk", "username", "is_active", "is_staff", "is_superuser", "email"
    )
    roles = User.groups.through.objects.order_by("user_id", "group__name")
    return [*people, *roles.values_list("user_id", "group__name")]


def count_on(models: Iterable[type[Model]]) -> None:
    """The next row of each takes the id behind those that stand: PostgreSQL counts beside the rows and never
    back.
    """
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def rows_now() -> dict[str, Rows]:
    """Every row that a world may hold, by table."""
    return {table: _read(table) for table in _tables()}


def _is_plain(driver: Player) -> bool:
    """Nothing is in this test that could make its acts other ones."""
    return (
        connection.in_atomic_block
        and not any(callable(one) for one in vars(driver).values())
        and not any(one._setattr or one._setitem for one in _patches)
        and not time_machine.escape_hatch.is_travelling()
        and not Path(settings.REPOSITORIES_DIR).exists()
        and not Path(settings.WORKTREES_DIR).exists()
        and all(
            getattr(settings, name) == value
            for name, value in vars(plain).items()
            if name.isupper() and name not in VARYING
        )
    )


def _any_folder() -> bool:
    return any(Path(getattr(settings, name)).exists() for name in FOLDERS)


def _workspace() -> Path:
    return Path(settings.WORKSPACE_DIR)


def _copy(origin: Path, target: Path) -> None:
    """The workspace, the file beside it that its writers lock, and the key that signed its checkpoints."""
    name, keys = _workspace().name, Path(settings.HISTORY_KEY_FILE).parent.name
    target.mkdir(parents=True, exist_ok=True)
    if (origin / keys).exists():
        shutil.copytree(origin / keys, target / keys, dirs_exist_ok=True)
    if (origin / name).exists():
        shutil.copytree(origin / name, target / name, symlinks=True)
    if (lock := origin / f"{name}.lock").exists():
        shutil.copy2(lock, target)


@cache
def _tables() -> dict[str, list[str]]:
    """Columns by table, quoted; those that the database generates are not written."""
    return {
        model._meta.db_table: [
            f'"{field.column}"' for field in model._meta.local_concrete_fields if not field.generated
        ]
        for model in _models()
    }


def _models() -> list[type[Model]]:
    every = [model for model in apps.get_models(include_auto_created=True) if model is not OpenSession]
    return [model for model in every if model._meta.app_label in APPS and not model._meta.proxy]


def _any_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 WHERE {' OR '.join(f'EXISTS (SELECT 1 FROM {table})' for table in _tables())}"
        )
        return cursor.fetchone() is not None


def _read(table: str) -> Rows:
    """Rows as the database stores them: a sign before a column keeps SQLite's driver from making dates of
    text.
    """
    sign = "+" if connection.vendor == "sqlite" else ""
    names = ", ".join(sign + column for column in _tables()[table])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} ORDER BY 1")
        # PostgreSQL's driver gives bytes as a view, which is equal to no other.
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor.fetchall()]
