"""FR-009: an installation that a later release takes over, in the middle of its work, keeps all it has.

The data are those of the demo, as its executors and its people leave them. The later release brings one more
migration, which adds columns and makes tables again, those of the history among them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import Installation, result_of
from tests.acceptance.later_release import later_release

pytestmark = [pytest.mark.installation, pytest.mark.nightly]

#: What keeps the history append-only, the words found and the queue awake.
TRIGGERS = """
from django.db import connection
with connection.cursor() as cursor:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
    else:
        cursor.execute("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    print(*sorted(map(str, cursor.fetchall())), sep="\\n")
"""
#: Each of these is refused. The third table of the history has no row yet that a trigger could keep.
CHANGES = """
from django.db import DatabaseError, connection, transaction
for table in ("orchestrator_historyentry", "orchestrator_historycheckpoint"):
    for change in (f"UPDATE {table} SET id = id + 1000000", f"DELETE FROM {table}"):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)
            print("done:", change)
        except DatabaseError as problem:
            print("append-only" in str(problem))
"""


def said(installation: Installation, *words: str) -> str:
    done = installation.manage(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(installation: Installation) -> Any:
    """Every row of every table that this release knows, but for the index of words, which is made again: the
    consistency check compares that with the rows."""
    words = ("--exclude", "orchestrator.searchentry")
    return json.loads(said(installation, "dumpdata", "orchestrator", "auth", "--all", *words))


def test_fr009_a_later_release_takes_an_installation_over_in_the_middle_of_its_work(tmp_path: Path) -> None:
    with Installation(tmp_path / "data", executors=2) as live:
        assert result_of(list(live.people(3)))["status"] != "completed", "there is work left"
        live.stop()
        history, triggers, before = (
            said(live, "verify_history"),
            said(live, "shell", "-v", "0", "-c", TRIGGERS),
            rows(live),
        )
        now, later = dict(live.environment), live.environment | later_release(tmp_path / "later")

        live.environment = later
        said(live, "migrate")
        assert said(live, "verify_history") == history
        assert said(live, "shell", "-v", "0", "-c", TRIGGERS) == triggers
        assert said(live, "shell", "-v", "0", "-c", CHANGES).split() == ["True"] * 4
        said(live, "check_consistency")
        live.environment = now
        assert rows(live) == before

        live.environment = later
        live.start()
        found = result_of(list(live.people()))
        assert found["status"] == "completed", live.said()
        assert set(found["events"].values()) == {1}, found["events"]
        entries = int(said(live, "verify_history").split()[0])
        assert entries > int(history.split()[0])
        said(live, "check_consistency")
