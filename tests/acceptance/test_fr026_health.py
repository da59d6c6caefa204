"""FR-026: whoever watches over the installation learns whether it answers, whether work can go on, and how
much there is."""

import shutil
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from orchestrator.queries.workstreams import health
from tests.cast import Driver


def test_fr026_health_answers_strangers_and_asks_nothing(db) -> None:
    with CaptureQueriesContext(connection) as statements:
        answer = Client().get("/health")
    assert (answer.status_code, answer.json(), len(statements)) == (200, {"status": "ok"}, 0)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of tests are made from the models, without a word of it in the list of migrations."""
    monkeypatch.setattr(health, "_of_tables", dict)


def test_fr026_tables_of_another_version_are_named(driver: Driver) -> None:
    driver.start()
    answer = Client().get("/ready")
    assert (answer.status_code, list(answer.json()["problems"])) == (503, ["tables"])


@pytest.mark.usefixtures("tables")
def test_fr026_ready_while_work_can_go_on(driver: Driver) -> None:
    driver.start()
    answer = Client().get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "problems": {}})


@pytest.mark.usefixtures("tables")
def test_fr026_a_queue_that_stands_still_is_named(driver: Driver) -> None:
    driver.start()
    OrmQ.objects.all().delete()
    old = timezone.now() - timedelta(minutes=6)
    OrmQ.objects.create(key="orchestrator", payload=SignedPackage.dumps({"started": old}), lock=old)
    answer = Client().get("/ready")
    assert (answer.status_code, list(answer.json()["problems"])) == (503, ["queue"])
    assert answer["Retry-After"]


@pytest.mark.usefixtures("tables")
def test_fr026_f16_a_full_disk_is_named(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.start()
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: usage._replace(free=1024))
    answer = Client().get("/ready")
    assert (answer.status_code, list(answer.json()["problems"])) == (503, ["disk"])
    assert "0 MiB left" in answer.json()["problems"]["disk"]


def test_fr026_monitors_are_answered_without_tls(db, settings) -> None:
    """A health check on this machine asks over plain HTTP, behind a proxy with TLS as well."""
    settings.SECURE_SSL_REDIRECT = True
    assert [Client().get(f"/{name}").status_code for name in ("health", "ready", "metrics")] == [
        200,
        503,
        404,
    ]
    assert Client().get("/health/x").status_code == 301


def test_fr026_a_database_that_does_not_answer_is_no_500(driver: Driver, monkeypatch) -> None:
    def gone() -> None:
        raise DatabaseError("gone")

    driver.start()
    monkeypatch.setattr(health, "_of_tables", gone)
    answer = Client().get("/ready")
    assert (answer.status_code, list(answer.json()["problems"])) == (503, ["database"])


def test_fr026_metrics_are_off_until_the_operator_turns_them_on(driver: Driver, settings) -> None:
    assert Client().get("/metrics").status_code == 404
    settings.METRICS = True
    assert Client().get("/metrics").status_code == 200


def test_fr026_metrics_count_what_there_is_and_name_nothing(driver: Driver, settings) -> None:
    settings.METRICS = True
    work = driver.start()
    driver.claim("A1")
    told = Client().get("/metrics").content.decode()
    figures = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert figures['orchestrator_tasks{status="active"}'] == "1"
    assert figures['orchestrator_tasks{status="complete"}'] == "0"
    assert figures['orchestrator_attempts{status="running"}'] == "1"
    assert int(figures["orchestrator_history_entries"]) > 0
    assert work.slug not in told
    assert all(f"# TYPE {name.partition('{')[0]} gauge" in told for name in figures)


@pytest.mark.parametrize("address", ["/health", "/ready", "/metrics"])
def test_fr026_they_only_look(driver: Driver, settings, address: str) -> None:
    settings.METRICS = True
    assert Client().post(address).status_code == 405
