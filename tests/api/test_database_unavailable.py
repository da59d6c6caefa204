"""F17, F18: a database that does not answer is a clean 503; the idempotency key settles what happened."""

import pytest
from django.db import connection, connections

from orchestrator.models import IdempotencyKey
from tests.cast import Driver
from tests.machines import Machine


@pytest.mark.django_db(transaction=True)
def test_f18_a_locked_database_is_a_503_and_the_call_can_be_repeated(
    driver: Driver, machine: Machine
) -> None:
    address = f"/api/attempts/{driver.attempt('A1').pk}/claim"
    blocker = connections.create_connection("default")
    with connection.cursor() as cursor:
        _wait_shortly(cursor)
    with blocker.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE orchestrator_idempotencykey IN ACCESS EXCLUSIVE MODE")
        status, answer = machine.post(address, key="again")
        cursor.execute("ROLLBACK")
    blocker.close()
    assert (status, answer["code"]) == (503, "database-unavailable")
    assert "same idempotency key" in answer["recovery"]
    assert not IdempotencyKey.objects.exists()
    assert driver.attempt("A1").status == "queued"

    assert machine.post(address, key="again")[0] == 200
    assert driver.attempt("A1").status == "running"


def _wait_shortly(cursor) -> None:
    cursor.execute(
        "PRAGMA busy_timeout=100" if connection.vendor == "sqlite" else "SET lock_timeout = '100ms'"
    )
