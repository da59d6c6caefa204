"""Worlds that tests go on from: what the start of a plan left behind is kept, and put back for the next test.

Hundreds of tests start the same few plans before they come to what they are about. The first start of a source in a
test process is always the real one, through whatever the driver goes through (pages, or services), so nothing about
starting is left untried; a later start of the same source from the same state puts back the rows and the workspace
that the real one left, byte for byte. `tests/test_worlds.py` proves that both are equal.

A start is real whenever anything could make it another one: rows beside the accounts, files in the folders, settings
that differ from the suite's own, a clock that is set, a test that patches or commits for good.
"""

import shutil
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
from django.db import connection

from orchestrator.models import Workstream
from tests import settings as plain

FOLDERS: Final = ("WORKSPACE_DIR", "REPOSITORIES_DIR", "WORKTREES_DIR")
#: Settings that are others in every test: its folders, and what Django itself adds to.
VARYING: Final = frozenset({*FOLDERS, "ALLOWED_HOSTS", "STATIC_URL"})
#: Apps whose rows are put back. Not the accounts, which are there before, nor their sessions and times of last login.
APPS: Final = ("orchestrator", "django_q")
Rows = list[tuple[Any, ...]]
Key = tuple[object, ...]


class Starter(Protocol):
    """A driver: `start_afresh` submits, signs, approves and launches; the others are what it knows afterwards."""

    now: datetime
    workstream: Workstream | None

    def start_afresh(self, source: bytes) -> None: ...


@dataclass(frozen=True)
class World:
    """What a start left: rows by table, a copy of the workspace, and what its driver knew."""

    rows: dict[str, Rows]
    files: Path
    now: datetime
    workstream: int


_worlds: dict[Key, World] = {}
_patches: list[pytest.MonkeyPatch] = []


def enter(patches: pytest.MonkeyPatch) -> None:
    """A test begins; what it patches may make its starts other ones than those of other tests."""
    _patches[:] = [patches]


def start(driver: Starter, source: bytes) -> None:
    """Start `source`: really, or by putting back what a real start of it left in this process."""
    if not _is_plain():
        return driver.start_afresh(source)
    key = (type(driver), source, driver.now, *_accounts())
    if key in _worlds:
        put_back(driver, _worlds[key])
    else:
        driver.start_afresh(source)
        _worlds[key] = kept(driver, Path(mkdtemp(prefix="world-", dir=settings.DATA_DIR)))
    return None


def kept(driver: Starter, folder: Path) -> World:
    """What stands in the tables and the workspace now; the files are copied to `folder`."""
    assert driver.workstream is not None
    _copy(_workspace().parent, folder)
    return World(
        {table: found for table in _tables() if (found := _read(table))}, folder, driver.now, driver.workstream.pk
    )


def put_back(driver: Starter, world: World) -> None:
    """Write rows and files into empty tables and folders. Ids are the recorded ones: the sequences are past them."""
    with connection.cursor() as cursor:
        for table, rows in world.rows.items():
            row = f"({', '.join(['%s'] * len(rows[0]))})"
            values = [value for one in rows for value in one]
            # Table names are the models' own. Foreign keys are checked when the test ends, so any order will do.
            columns = ", ".join(_tables()[table])
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * len(rows))}", values)
    _copy(world.files, _workspace().parent)
    driver.now, driver.workstream = world.now, Workstream.objects.get(pk=world.workstream)


def rows_now() -> dict[str, Rows]:
    """Every row that a world may hold, by table."""
    return {table: _read(table) for table in _tables()}


def _is_plain() -> bool:
    """Nothing is in this test that could make its start another one."""
    return (
        connection.in_atomic_block
        and not any(one._setattr or one._setitem for one in _patches)
        and not time_machine.escape_hatch.is_travelling()
        and not any(Path(getattr(settings, name)).exists() for name in FOLDERS)
        and all(
            getattr(settings, name) == value
            for name, value in vars(plain).items()
            if name.isupper() and name not in VARYING
        )
        and not _any_row()
    )


def _accounts() -> tuple[object, ...]:
    """Who is there, and in which roles: rows of a world refer to accounts by id."""
    people = User.objects.order_by("pk").values_list("pk", "username", "is_active", "is_staff", "is_superuser", "email")
    roles = User.groups.through.objects.order_by("user_id", "group__name").values_list("user_id", "group__name")
    return tuple(people), tuple(roles)


def _workspace() -> Path:
    return Path(settings.WORKSPACE_DIR)


def _copy(origin: Path, target: Path) -> None:
    """The workspace, and the file beside it that its writers lock."""
    name = _workspace().name
    target.mkdir(parents=True, exist_ok=True)
    if (origin / name).exists():
        shutil.copytree(origin / name, target / name, symlinks=True)
    if (lock := origin / f"{name}.lock").exists():
        shutil.copy2(lock, target)


@cache
def _tables() -> dict[str, list[str]]:
    """Columns by table, quoted; those that the database generates are not written."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in APPS]
    return {
        model._meta.db_table: [
            f'"{field.column}"' for field in model._meta.local_concrete_fields if not field.generated
        ]
        for model in models
        if not model._meta.proxy
    }


def _any_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 WHERE {' OR '.join(f'EXISTS (SELECT 1 FROM {table})' for table in _tables())}")
        return cursor.fetchone() is not None


def _read(table: str) -> Rows:
    """Rows as the database stores them: a sign before a column keeps SQLite's driver from making dates of text."""
    sign = "+" if connection.vendor == "sqlite" else ""
    names = ", ".join(sign + column for column in _tables()[table])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} ORDER BY 1")
        return cursor.fetchall()
