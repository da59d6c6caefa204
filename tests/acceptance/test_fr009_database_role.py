"""FR-009: with the role that the guide makes, the server works, and cannot change the history even without
triggers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

import orchestrator
from orchestrator.models.base.guards import TABLES, drop_guards
from orchestrator.services.sealing.anchors import seal_and_anchor
from tests.cast import PLAN, Driver

GUIDE = Path(orchestrator.__file__).parent / "guide" / "proofs.md"
ROLE = "orchestrator_server"


def statements() -> list[str]:
    found = re.search(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return [one.strip() for one in found[1].split(";") if one.strip()]


def test_fr009_the_guide_takes_every_append_only_table_out() -> None:
    revoked = next(one for one in statements() if one.startswith("REVOKE"))
    assert [table for table in TABLES if table not in revoked] == []


@pytest.fixture
def as_server(db) -> Iterator[None]:
    if connection.vendor != "postgresql":
        pytest.skip("roles are PostgreSQL's")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        for one in statements():
            cursor.execute(one)
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def test_fr009_the_server_works_and_changes_no_history(driver: Driver, as_server: None) -> None:
    driver.start_afresh(PLAN)  # a start that another role left is not put back
    driver.finish()
    seal_and_anchor(now=driver.tick())
    for table in TABLES:
        for verb in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with (
                pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(verb)
