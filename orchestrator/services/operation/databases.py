"""The database as files of a backup, and back, without any program beside this one (FR-009).

SQLite copies itself by its own backup interface, page by page and consistent, while others write. PostgreSQL
sends each table by COPY from one snapshot; it is put back by COPY in one transaction, into tables that the
same migrations made.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from orchestrator.core.errors import WrongState
from orchestrator.core.files.backup import HistoryEnd, Manifest

SQLITE: Final = "database.sqlite3"
#: Folder of the tables' files.
TABLES: Final = "database"
#: Bytes of a table that are read at a time.
CHUNK: Final = 1024 * 1024

Ask = Callable[[str], list[Sequence[Any]]]


class Copied(NamedTuple):
    """What was written: columns of each table's file (PostgreSQL alone), migrations, and the history."""

    tables: Mapping[str, tuple[str, ...]]
    migrations: tuple[str, ...]
    history: HistoryEnd


def write_database(folder: Path) -> Copied:
    """Copy the whole database into the folder as it stands now. Call it outside a transaction."""
    return _write_sqlite(folder) if connection.vendor == "sqlite" else _write_tables(folder)


def _write_sqlite(folder: Path) -> Copied:
    """In one step: a copy in parts begins anew whenever somebody has written meanwhile."""
    copy = folder / SQLITE
    with closing(sqlite3.connect(sqlite_file(), timeout=20)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
        to.execute("PRAGMA journal_mode=DELETE")  # one file, whatever the original keeps beside it
        ask = asking(to)
        return Copied({}, _migrations(ask), history_in(ask))


def _write_tables(folder: Path) -> Copied:
    (folder / TABLES).mkdir(mode=0o700)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tables = {table: tuple(_columns(cursor, table)) for table in _tables()}
        for table, columns in tables.items():
            named = ", ".join(map(connection.ops.quote_name, columns))
            with (
                (folder / TABLES / f"{table}.copy").open("wb") as file,
                cursor.copy(f"COPY {connection.ops.quote_name(table)} ({named}) TO STDOUT") as rows,
            ):
                for part in rows:
                    file.write(part)
        ask = _asking_here(cursor)
        return Copied(tables, _migrations(ask), history_in(ask))


def _tables() -> list[str]:
    """All but the one in which the migrations note themselves: the manifest has those."""
    return sorted(set(connection.introspection.table_names()) - {MigrationRecorder.Migration._meta.db_table})


def _columns(cursor: Any, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
        "AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]


def sqlite_file() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def asking(database: sqlite3.Connection) -> Ask:
    return lambda statement: database.execute(statement).fetchall()


def _asking_here(cursor: Any) -> Ask:
    def ask(statement: str) -> list[Sequence[Any]]:
        cursor.execute(statement)
        return list(cursor.fetchall())

    return ask


def _migrations(ask: Ask) -> tuple[str, ...]:
    """What the tables were made by; nothing where they were made without."""
    if not MigrationRecorder(connection).has_table():
        return ()
    return tuple(f"{app}.{name}" for app, name in ask("SELECT app, name FROM django_migrations ORDER BY id"))


def history_in(ask: Ask) -> HistoryEnd:
    """How far the history of a database goes."""
    last = ask("SELECT sequence, leaf_hash FROM orchestrator_historyentry ORDER BY sequence DESC LIMIT 1")
    seal = ask("SELECT size, root, note FROM orchestrator_historycheckpoint ORDER BY size DESC LIMIT 1")
    return HistoryEnd(*(last[0] if last else (0, "")), *(seal[0] if seal else (0, "", "")))


def history_here() -> HistoryEnd | None:
    """The same of the database that is there now; None where it has no tables, or is none."""
    if connection.vendor == "sqlite" and not sqlite_file().is_file():
        return None
    try:
        if "orchestrator_historyentry" not in connection.introspection.table_names():
            return None
        with connection.cursor() as cursor:
            return history_in(_asking_here(cursor))
    except DatabaseError as problem:
        raise WrongState(
            f"The database that is there cannot be read: {problem}",
            recovery="Move it out of the way, or give DATABASE_URL another one, then restore again.",
        ) from problem


def entry_hash(folder: Path, manifest: Manifest, sequence: int) -> str:
    """The hash of an entry of the backup, or ""."""
    if not manifest.tables:
        with closing(sqlite3.connect(f"file:{folder / SQLITE}?mode=ro", uri=True)) as copy:
            found = copy.execute(
                "SELECT leaf_hash FROM orchestrator_historyentry WHERE sequence = ?", [sequence]
            ).fetchone()
            return str(found[0]) if found else ""
    columns = manifest.tables["orchestrator_historyentry"]
    number, hashed = columns.index("sequence"), columns.index("leaf_hash")
    with (folder / TABLES / "orchestrator_historyentry.copy").open("rb") as file:
        for line in file:
            cells = line.rstrip(b"\n").split(b"\t")
            if cells[number] == b"%d" % sequence:
                return cells[hashed].decode()
    return ""


@contextmanager
def database_at(file: Path) -> Iterator[None]:
    """Everything in this block asks another SQLite file; for a command alone, whose one thread it is."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(file)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def put_sqlite(copy: Path, aside: Path) -> None:
    """Put a file in the place of the database; what stood there goes into the folder `aside`."""
    connection.close()
    place = sqlite_file()
    for suffix in ("-wal", "-shm", "-journal", ""):
        old = place.with_name(f"{place.name}{suffix}")
        if old.exists():
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(old, aside / old.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(copy, place)


@contextmanager
def filled(folder: Path, manifest: Manifest) -> Iterator[None]:
    """With the tables of the backup instead of those that are there; an exception in the block takes that
    back. No act: nobody else uses the database meanwhile."""
    with transaction.atomic():
        put_tables(folder, manifest)
        yield


def put_tables(folder: Path, manifest: Manifest) -> None:
    """Fill the tables with those of the backup, in the caller's transaction: whole or not at all.

    WrongState where this account may not do that, or the tables are others.
    """
    if sorted(manifest.tables) != _tables():
        raise WrongState(
            "The tables of the database are not those of the backup.",
            recovery="Name an empty database in DATABASE_URL; its tables are made by the restore.",
        )
    quoted = {table: connection.ops.quote_name(table) for table in manifest.tables}
    try:
        with connection.cursor() as cursor:
            for table in quoted.values():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"TRUNCATE {', '.join(quoted.values())}")
            for table, columns in manifest.tables.items():
                _fill(cursor, quoted[table], columns, folder / TABLES / f"{table}.copy")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in manifest.tables:
                _go_on_counting(cursor, table)
                cursor.execute(f"ALTER TABLE {quoted[table]} ENABLE TRIGGER USER")
    except DatabaseError as problem:
        raise WrongState(
            f"The tables cannot be filled: {problem}",
            recovery="Restore as the role that owns the tables, into a database that nobody else uses.",
        ) from problem


def _fill(cursor: Any, table: str, columns: Sequence[str], file: Path) -> None:
    named = ", ".join(map(connection.ops.quote_name, columns))
    with file.open("rb") as rows, cursor.copy(f"COPY {table} ({named}) FROM STDIN") as into:
        while part := rows.read(CHUNK):
            into.write(part)


def _go_on_counting(cursor: Any, table: str) -> None:
    """The next row gets a number behind those that are there."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
        "AND table_name = %s AND is_identity = 'YES'",
        [table],
    )
    for (column,) in cursor.fetchall():
        name, where = connection.ops.quote_name(column), connection.ops.quote_name(table)
        cursor.execute(f"SELECT MAX({name}) FROM {where}")  # noqa: S608 - names of tables, quoted
        last = cursor.fetchone()[0]
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, %s), %s, %s)",
            [where, column, last or 1, last is not None],
        )


def others_connected() -> int:
    """How many other connections use the database; 0 where it cannot tell."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])
