"""F10, F11, F17, F18: a database that is away, locked, or that chose an act as the victim of a deadlock:
every page, route and tool says 503, what to do, and when (`Retry-After`)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.mcp.answers import refused as refused_by_mcp
from orchestrator.models import AccessToken, HistoryEntry
from orchestrator.services.people import interventions
from tests.cast import Cast, Driver
from tests.machines import Machine
from tests.web.pages import words

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = [
    "inbox",
    "plans",
    "portfolio",
    "history",
    "gates",
    "interventions",
    "blockers",
    "policies",
    "library",
    "tokens",
]


@pytest.fixture
def reader(cast: Cast) -> Client:
    """As a browser sees it: what a view raises is an answer, too."""
    client = Client(raise_request_exception=False)
    client.force_login(cast.contributor)
    return client


def wait_shortly() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "PRAGMA busy_timeout=100" if connection.vendor == "sqlite" else "SET lock_timeout = '100ms'"
        )


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Somebody else holds the database (SQLite) or the table (PostgreSQL), even against readers."""
    wait_shortly()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode=DELETE")
            cursor.execute("BEGIN EXCLUSIVE")
        else:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
    other.close()


def decent(response: HttpResponse) -> str:
    """503 with the time and the way out, and nothing of the machinery."""
    said = words(response)
    assert response.status_code == 503, said[:500]
    assert int(response["Retry-After"]) > 0
    assert "Traceback" not in said
    assert "again" in said
    return said


@pytest.mark.parametrize("table", ["orchestrator_opensession", "auth_user_groups"])
def test_f18_a_locked_database_is_said_on_every_page(driver: Driver, reader: Client, table: str) -> None:
    """Whether it is asked before the view (who is this?) or in it."""
    driver.start()
    with locked(table):
        for page in PAGES:
            assert "busy" in decent(reader.get(reverse(page)))
    assert reader.get(reverse("inbox")).status_code == 200


@contextmanager
def being_written() -> Iterator[None]:
    """Somebody else is in the middle of writing tokens; whoever reads is not held up."""
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        else:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE orchestrator_accesstoken SET label = label")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
    other.close()


def patience() -> object:
    """How long this connection waits for a lock, in the database's words."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout")
        return cursor.fetchone()[0]


def test_f18_fr027_a_read_does_not_wait_to_note_the_use_of_its_token(driver: Driver) -> None:
    driver.start()
    machine, usual = Machine.of(driver.cast.builder()), patience()
    with being_written():
        begun = time.monotonic()
        status, answer = machine.get("/api/tasks/")
        took = time.monotonic() - begun
    assert (status, answer["count"]) == (200, 6)
    assert took < 10, "an act waits 20 seconds for a lock"
    assert AccessToken.objects.get().last_used_at is None
    machine.get("/api/tasks/")
    assert AccessToken.objects.get().last_used_at is not None, "the next call notes its own"
    assert patience() == usual, "acts wait as long as ever"


def test_f18_htmx_keeps_what_was_typed(driver: Driver, reader: Client) -> None:
    with locked("orchestrator_opensession"):
        response = reader.get(reverse("inbox"), headers={"HX-Request": "true"})
    decent(response)
    assert response["HX-Retarget"] == "#notices"
    assert response.content.decode().strip().startswith('<div class="notice notice-blocked" role="alert"')


def test_f18_signing_in_is_refused_with_what_to_do(cast: Cast, reader: Client) -> None:
    reader.logout()
    with locked("auth_user"):
        decent(reader.post(reverse("login"), {"username": "carl", "password": "secret-for-tests"}))


def test_f18_an_act_on_a_page_is_undone_and_can_be_repeated(driver: Driver, reader: Client) -> None:
    driver.start()
    act = reverse("task-act", args=[driver.reload().uuid, "A1", "flag"])
    note = {"note": "Which labels?", "choices": ""}
    with locked("orchestrator_historyentry"):
        decent(reader.post(act, note))
    assert not driver.task("A1").needs_human
    assert reader.post(act, note).status_code == 302
    assert driver.task("A1").needs_human


def test_f11_a_connection_that_was_lost_is_said_on_a_page(driver: Driver, reader: Client) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection that can be lost; F18 locks its file")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = cursor.fetchone()[0]
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [own])
    other.close()
    assert "unknown" in decent(reader.get(reverse("inbox")))
    connection.close()
    assert reader.get(reverse("inbox")).status_code == 200


def test_f10_a_server_that_is_away_is_said_on_every_page(
    cast: Cast, reader: Client, settings: Any, tmp_path: Path
) -> None:
    """Nothing listens where the database was, or its file is gone with its folder."""
    connection.close()
    known = dict(connection.settings_dict)
    away = {"NAME": str(tmp_path / "gone" / "x.sqlite3")} if connection.vendor == "sqlite" else {"PORT": "1"}
    connection.settings_dict.update(away)
    try:
        for page in PAGES:
            decent(reader.get(reverse(page)))
        answer = reader.get("/api/tasks/", headers={"authorization": "Bearer pteo_x"})
    finally:
        connection.close()
        connection.settings_dict.update(known)
    assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
    assert int(answer["Retry-After"]) == answer.json()["details"]["retry_after"] > 0


@pytest.mark.parametrize("interface", ["page", "rest"])
def test_f28_whoever_is_the_victim_of_a_deadlock_is_told_to_try_again(
    driver: Driver, reader: Client, interface: str
) -> None:
    """A real one: the request holds the workstream and wants to write history, somebody else the other way
    round.
    """
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one lock, so nothing can meet in a deadlock")
    driver.start()
    machine = Machine.of(driver.cast.builder())
    uuid, task = driver.reload().uuid, driver.task("A1").pk
    answers: list[Any] = []

    def request() -> None:
        if interface == "page":
            address = reverse("task-act", args=[uuid, "A1", "flag"])
            answers.append(reader.post(address, {"note": "Which labels?", "choices": ""}))
        else:
            headers = {"authorization": f"Bearer {machine.secret}"}
            body = {"needs_human": True, "intervention_note": "Which labels?"}
            answers.append(machine.client.patch(f"/tasks/{task}/", body, "application/json", headers=headers))
        connection.close()

    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        # The request notices first, so it is the one that is undone.
        cursor.execute("SET LOCAL deadlock_timeout = '60s'")
        cursor.execute("LOCK TABLE orchestrator_historyentry IN EXCLUSIVE MODE")
        thread = threading.Thread(target=request)
        thread.start()
        until_somebody_waits(cursor)
        cursor.execute("SELECT 1 FROM orchestrator_workstream WHERE uuid = %s FOR UPDATE", [uuid])
        thread.join(30)
        cursor.execute("ROLLBACK")
    other.close()
    (response,) = answers
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "met with something else" in response.content.decode()
    assert not driver.task("A1").needs_human
    assert not HistoryEntry.objects.filter(action__contains="flag").exists()


def until_somebody_waits(cursor: Any) -> None:
    for _ in range(200):
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        if cursor.fetchone()[0]:
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_every_refusal_that_says_try_again_says_when_over_mcp() -> None:
    result = refused_by_mcp(WorkspaceUnavailable("The workspace is full."))
    assert result.structured_content is not None
    assert result.structured_content["details"]["retry_after"] > 0
    assert "Retry after" in result.content[0].text  # type: ignore[union-attr]


def test_what_is_no_outage_stays_an_error(
    driver: Driver, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    monkeypatch.setattr(interventions, "flag_for_human", broken)
    response = reader.post(reverse("task-act", args=[driver.reload().uuid, "A1", "flag"]), {"note": "x"})
    assert response.status_code == 500
    assert "Retry-After" not in response


def broken(**_: object) -> None:
    raise ValueError("a mistake of ours")


def test_a_refused_connection_is_an_operational_error() -> None:
    """What the pages' 503 rests on."""
    assert issubclass(psycopg.errors.DeadlockDetected, psycopg.OperationalError)
    assert issubclass(psycopg.errors.SerializationFailure, psycopg.OperationalError)
    assert issubclass(psycopg.errors.LockNotAvailable, psycopg.OperationalError)
    assert OperationalError.__mro__[1].__name__ == "DatabaseError"
