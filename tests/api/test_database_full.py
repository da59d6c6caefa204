"""F17: a database that is full is a clean 503 that leaves nothing behind.

The same call works when there is room.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from orchestrator.models import Attempt, HandoffArtifact, HistoryEntry, IdempotencyKey
from tests.cast import Driver
from tests.machines import Machine

OUTPUT = {"report.md": "x" * 400_000}


@contextmanager
def full() -> Iterator[None]:
    """SQLite may not grow.

    On PostgreSQL, where a test cannot fill the disk, the table says what the server would.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")  # so that there is no room within the file either
            cursor.execute("PRAGMA page_count")
            pages = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA max_page_count = {pages}")
        else:
            cursor.execute(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING "
                "ERRCODE = '53100'; "
                "END $$"
            )
            cursor.execute(
                "CREATE TRIGGER no_room BEFORE INSERT ON orchestrator_outputfile EXECUTE FUNCTION no_room()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA max_page_count = 1073741823")
            else:
                cursor.execute("DROP FUNCTION no_room CASCADE")


def everything() -> tuple[object, ...]:
    rows = (HistoryEntry, HandoffArtifact, IdempotencyKey)
    return (*(model.objects.count() for model in rows), *Attempt.objects.order_by("pk").values_list("status"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", "once"])
def test_f17_a_full_database_is_a_503_and_nothing_is_left_of_the_call(
    driver: Driver, machine: Machine, key: str
) -> None:
    attempt = driver.attempt("A1")
    _, claimed = machine.post(f"/api/attempts/{attempt.pk}/claim")
    body = {
        "token": claimed["token"],
        "evidence": {str(c["id"]): "ran them" for c in claimed["criteria"]},
        "outputs": OUTPUT,
    }
    before = everything()
    with full():
        status, answer = machine.post(f"/api/attempts/{attempt.pk}/complete", body, key=key)
        assert (status, answer["code"]) == (503, "database-unavailable"), answer
    assert everything() == before
    assert machine.post(f"/api/attempts/{attempt.pk}/complete", body, key=key)[0] == 200
    assert Attempt.objects.get(pk=attempt.pk).status == "completed"
