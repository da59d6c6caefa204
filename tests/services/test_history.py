"""FR-009: the history is gapless, chained and append-only, and a walk names the first bad entry."""

import pytest
from django.db import DatabaseError, connection, transaction

from orchestrator.models import HistoryEntry
from orchestrator.models.guards import drop_guards, install_guards
from orchestrator.services import history
from orchestrator.services.actor import Actor
from tests.cast import NOON, Driver


@pytest.fixture
def finished(driver: Driver) -> Driver:
    driver.start()
    driver.finish()
    return driver


def tamper(column: str, value: object, sequence: int) -> None:
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE orchestrator_historyentry SET {column} = %s WHERE sequence = %s", [value, sequence])
    install_guards()


def test_a_whole_run_verifies_and_has_no_gaps(finished: Driver) -> None:
    sequences = list(HistoryEntry.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) > 20
    assert history.verify() is None


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("reason", "something else", "columns"),
        ("actor", "mallory", "columns"),
        ("leaf", "{}", "columns"),
        ("leaf_hash", "0" * 64, "hash"),
    ],
)
def test_a_changed_row_is_named(finished: Driver, column: str, value: str, problem: str) -> None:
    tamper(column, value, 5)
    breach = history.verify()
    assert breach is not None
    assert breach.sequence == 5
    assert problem in breach.problem


def test_a_removed_entry_is_missed(finished: Driver) -> None:
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orchestrator_historyentry WHERE sequence = 7")
    install_guards()
    breach = history.verify()
    assert breach is not None
    assert "entry 7 is missing" in breach.problem


def test_fr009_entries_written_together_are_those_that_would_be_written_one_by_one(finished: Driver) -> None:
    workstream, said = finished.reload(), [history.Said(f"S{n}", "x" * n, {"n": n}) for n in range(120)]
    actor = Actor.person(finished.cast.reviewer)
    before, leaves = HistoryEntry.objects.count(), []
    for together in (False, True):
        with transaction.atomic():
            if together:
                history.record_each(workstream=workstream, actor=actor, action="work adopted", entries=said, now=NOON)
            for one in () if together else said:
                history.record(
                    workstream=workstream,
                    actor=actor,
                    action="work adopted",
                    subject=one.subject,
                    reason=one.reason,
                    data=one.data,
                    now=NOON,
                )
            leaves.append(list(HistoryEntry.objects.values_list("leaf", "leaf_hash", "number", "user")[before:]))
            assert history.verify() is None
            transaction.set_rollback(not together)
    one_by_one, at_once = leaves
    assert at_once == one_by_one
    history.record(workstream=workstream, actor=actor, action="work adopted", subject="last", now=NOON)
    assert history.verify() is None
    assert HistoryEntry.objects.order_by("-sequence")[0].sequence == before + 121


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_change_history(finished: Driver, act: str) -> None:
    entries = HistoryEntry.objects.filter(sequence=3)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entries.update(reason="x") if act == "update" else entries._raw_delete("default")
    assert history.verify() is None


def test_replacing_a_row_is_refused_too(finished: Driver) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO orchestrator_historyentry "
            "SELECT * FROM orchestrator_historyentry WHERE sequence = 2"
        )


@pytest.mark.django_db(transaction=True)
def test_history_outside_a_transaction_is_refused() -> None:
    from orchestrator.services.actor import ORCHESTRATOR
    from tests.cast import NOON

    with pytest.raises(RuntimeError, match="transaction"):
        history.record(workstream=None, actor=ORCHESTRATOR, action="x", subject="y", now=NOON)
