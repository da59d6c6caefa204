"""Worlds that tests go on from: what an act of the driver left behind is kept, and put back for the next
test.

Hundreds of tests start the same few plans, and do the same first steps, before they come to what they are
about. The first time in a test process is always the real one, through whatever the driver goes through
(pages, REST, services), so nothing is left untried; the same act from the very same state puts back the rows
and the workspace that the real one left, byte for byte. `tests/test_worlds.py` proves that both are equal.

An act is real whenever anything could make it another one: one other row or file, a setting that differs from
the suite's own, a clock that is set, a test that patches something or commits for good.
"""

import hashlib
import shutil
from collections.abc import Callable, Hashable, Iterable
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

from orchestrator.models import Workstream
from tests import settings as plain

FOLDERS: Final = ("WORKSPACE_DIR", "REPOSITORIES_DIR", "WORKTREES_DIR")
#: Settings that are others in every test: its folders, and what Django itself adds to.
VARYING: Final = frozenset({*FOLDERS, "TURNS_DIR", "ALLOWED_HOSTS", "STATIC_URL"})
#: Apps whose rows are put back. Not the accounts, which are there before, nor their sessions and times of
#: last login.
APPS: Final = ("orchestrator", "django_q")
Rows = list[tuple[Any, ...]]
Key = tuple[object, ...]


class Player(Protocol):
    """A driver, and what it knows: after an act that was put back it knows the same."""

    now: datetime
    workstream: Workstream | None
    #: The state that it was brought to here; None when something else was done since.
    reached: str | None


@dataclass(frozen=True)
class World:
    """What an act left: rows that came and rows that changed, a copy of the workspace, and what its driver
    knew.
    """

    state: str
    come: dict[str, Rows]
    changed: dict[str, Rows]
    files: Path
    now: datetime
    workstream: int


_worlds: dict[Key, World] = {}
_patches: list[pytest.MonkeyPatch] = []


def enter(patches: pytest.MonkeyPatch) -> None:
    """A test begins; what it patches may make its acts other ones than those of other tests."""
    _patches[:] = [patches]


def play(driver: Player, act: Callable[[], object], *name: Hashable) -> None:
    """Do `act`, which `name` describes wholly: really, or by putting back what it left in this process from
    this state.

    An act is kept only when it begins where nothing stands, or where another one that is kept ended.
    """
    first = driver.reached is None and _is_plain(driver) and not _any_row() and not _any_folder()
    if not first and (driver.reached is None or not _is_plain(driver)):
        driver.reached = None
        act()
        return
    before = rows_now()
    state = _digest(before)
    if not first and state != driver.reached:
        driver.reached = None
        act()
        return
    key = (type(driver), driver.now, driver.workstream and driver.workstream.pk, state, *name)
    if key in _worlds:
        _put_back(driver, _worlds[key])
        return
    driver.reached = None
    act()
    if _is_plain(driver) and (world := _kept(driver, before)):
        _worlds[key] = world
        driver.reached = world.state


def _kept(driver: Player, before: dict[str, Rows]) -> World | None:
    """What stands now, as steps from the rows before; nothing when rows went, which no act of the product
    does.
    """
    come, changed = {}, {}
    after = rows_now()
    for table, rows in after.items():
        old = {row[0]: row for row in before[table]}
        if not old.keys() <= {row[0] for row in rows}:
            return None
        if new := [row for row in rows if row[0] not in old]:
            come[table] = new
        if other := [row for row in rows if old.get(row[0], row) != row]:
            changed[table] = other
    folder = Path(mkdtemp(prefix="world-", dir=settings.DATA_DIR))
    _copy(_workspace().parent, folder)
    assert driver.workstream is not None
    return World(_digest(after), come, changed, folder, driver.now, driver.workstream.pk)


def _put_back(driver: Player, world: World) -> None:
    """Write rows and files. Ids are the recorded ones."""
    with connection.cursor() as cursor:
        # First what changed: a row that came may take the place that another one left.
        for table, rows in world.changed.items():
            key, *columns = _tables()[table]
            places = ", ".join(f"{column} = %s" for column in columns)
            for row in rows:
                cursor.execute(f"UPDATE {table} SET {places} WHERE {key} = %s", [*row[1:], row[0]])
        # Foreign keys are checked when the test ends, so any order of tables will do.
        for table, rows in world.come.items():
            row = f"({', '.join(['%s'] * len(_tables()[table]))})"
            values = [value for one in rows for value in one]
            columns = ", ".join(_tables()[table])
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * len(rows))}", values)
    count_on(model for model in _models() if model._meta.db_table in world.come)
    shutil.rmtree(_workspace(), ignore_errors=True)
    _copy(world.files, _workspace().parent)
    driver.now, driver.workstream = world.now, Workstream.objects.get(pk=world.workstream)
    driver.reached = world.state


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


def _digest(rows: dict[str, Rows]) -> str:
    """Everything that an act goes by: the rows, who is there in which roles, and every file of
    the workspace.
    """
    people = User.objects.order_by("pk").values_list(
        "pk", "username", "is_active", "is_staff", "is_superuser", "email"
    )
    roles = User.groups.through.objects.order_by("user_id", "group__name").values_list(
        "user_id", "group__name"
    )
    found = hashlib.sha256(repr([sorted(rows.items()), list(people), list(roles)]).encode())
    for path in sorted(_workspace().rglob("*")):
        found.update(f"{path.relative_to(_workspace())} {path.lstat().st_mode}\0".encode())
        found.update(
            str(path.readlink()).encode()
            if path.is_symlink()
            else b""
            if path.is_dir()
            else path.read_bytes()
        )
    return found.hexdigest()


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
    return {
        model._meta.db_table: [
            f'"{field.column}"' for field in model._meta.local_concrete_fields if not field.generated
        ]
        for model in _models()
    }


def _models() -> list[type[Model]]:
    every = apps.get_models(include_auto_created=True)
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
