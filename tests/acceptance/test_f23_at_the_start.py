"""F23: an older database that was restored while nothing ran is said by the start itself, and decided by a
command.
"""

import shutil
from pathlib import Path

import psycopg
import psycopg.sql
import pytest

from tests.acceptance.installation import Database, Installation, wait_for

pytestmark = pytest.mark.installation


def copy(place: Installation, into: Database | None) -> None:
    """The whole database as it stands now: SQLite's file, or a database made from the other one."""
    if into is None:
        shutil.copy2(place.folder / "orchestrator.sqlite3", place.folder / "backup.sqlite3")
        return
    with psycopg.connect(f"{into.server}/postgres", autocommit=True) as connection:
        names = [psycopg.sql.Identifier(name) for name in (into.name, place.database.name)]
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))


def restore(place: Installation, backup: Database | None) -> None:
    if backup is None:
        shutil.copy2(place.folder / "backup.sqlite3", place.folder / "orchestrator.sqlite3")
        return
    place.database.drop()
    with psycopg.connect(f"{backup.server}/postgres", autocommit=True) as connection:
        names = [psycopg.sql.Identifier(name) for name in (backup.name, place.database.name)]
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


def test_f23_older_database_restored_while_nothing_ran(tmp_path: Path) -> None:
    place = Installation(tmp_path / "data", executors=1)
    backup = Database(f"{place.database.name}_backup") if place.database.server else None
    sweep = ("shell", "-c", "from orchestrator.processes import tasks; tasks.sweep()")
    place.database.make()
    try:
        place.start()
        wait_for(lambda: any(place.folder.glob("workspace/workstreams/*/PLAN.md")), 60, place.said)
        place.stop()
        copy(place, backup)
        plan = tmp_path / "PLAN.md"
        plan.write_text("# Plan: Later\n\n## Stages\n### Stage 1: Build\n##### Batch 01: one\n- A1: First\n")
        assert place.manage("submit_plan", str(plan), "--as", "initiator").returncode == 0
        assert place.manage(*sweep).returncode == 0
        restore(place, backup)

        place.start()
        wait_for(lambda: "WORK IS STOPPED. The workspace is newer" in place.said(), 60, place.said)
        told = place.manage("workspace")
        assert (told.returncode, "manage.py workspace --settle set-back" in told.stdout) == (1, True)
        settle = ("workspace", "--settle", "set-back", "--as", "approver", "--reason", "The backup is right.")
        done = place.manage(*settle)
        assert (done.returncode, "refs/diverged/" in done.stdout) == (0, True), done.stdout + done.stderr
        assert place.manage("workspace").returncode == 0
        assert place.manage("verify_history").returncode == 0
    finally:
        place.__exit__()
        if backup:
            backup.drop()
