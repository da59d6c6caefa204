"""FR-009: the history is gapless, chained and append-only, and a walk names the first bad entry."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from orchestrator.core.errors import WrongState
from orchestrator.models import HistoryEntry
from orchestrator.models.base.guards import drop_guards, install_guards
from orchestrator.services.base import history
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.unit_of_work import unit_of_work
from tests.cast import NOON, Driver
from tests.verified import first_breach, state_problems


@pytest.fixture
def finished(driver: Driver) -> Driver:
    driver.start()
    driver.finish()
    return driver


@pytest.fixture
def started(driver: Driver) -> Driver:
    driver.start()
    return driver


def tamper(column: str, value: object, sequence: int) -> None:
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE orchestrator_historyentry SET {column} = %s WHERE sequence = %s", [value, sequence]
        )
    install_guards()


def test_a_whole_run_verifies_and_has_no_gaps(finished: Driver) -> None:
    sequences = list(HistoryEntry.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) > 20
    assert first_breach() is None


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
    breach = first_breach()
    assert breach is not None
    assert breach.sequence == 5
    assert problem in breach.problem


def test_a_removed_entry_is_missed(finished: Driver) -> None:
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orchestrator_historyentry WHERE sequence = 7")
    install_guards()
    breach = first_breach()
    assert breach is not None
    assert "entry 7 is missing" in breach.problem


def test_fr009_entries_written_together_are_those_that_would_be_written_one_by_one(finished: Driver) -> None:
    workstream, said = finished.reload(), [history.Said(f"S{n}", "x" * n, {"n": n}) for n in range(120)]
    actor = Actor.person(finished.cast.reviewer)
    before, leaves = HistoryEntry.objects.count(), []
    for parts in (((one,) for one in said), (said,)):
        with transaction.atomic():
            for part in parts:
                with unit_of_work():
                    history.record_each(
                        workstream=workstream, actor=actor, action="work adopted", entries=part, now=NOON
                    )
            leaves.append(
                list(HistoryEntry.objects.values_list("leaf", "leaf_hash", "number", "user")[before:])
            )
            assert len(leaves[-1]) == 120
            assert first_breach() is None
            transaction.set_rollback(True)
    one_by_one, at_once = leaves
    assert at_once == one_by_one


def test_fr009_entries_of_one_act_keep_their_order_in_every_chain(finished: Driver) -> None:
    """An act that says something of a workstream, of none, and of the workstream again."""
    workstream, actor = finished.reload(), Actor.person(finished.cast.reviewer)
    before = HistoryEntry.objects.order_by("-sequence")[0].sequence
    with unit_of_work():
        for owner, subject in ((workstream, "first"), (None, "between"), (workstream, "last")):
            history.record(workstream=owner, actor=actor, action="x", subject=subject, now=NOON)
        assert HistoryEntry.objects.order_by("-sequence")[0].sequence == before, (
            "nothing is written before the end"
        )
    found = HistoryEntry.objects.filter(sequence__gt=before).order_by("sequence")
    assert [entry.subject for entry in found] == ["first", "between", "last"]
    assert found[2].number == found[0].number + 1
    assert found[2].previous_hash == found[0].leaf_hash
    assert first_breach() is None


def test_fr009_a_part_that_was_refused_leaves_no_entry_and_the_rest_stays(finished: Driver) -> None:
    workstream, actor = finished.reload(), Actor.person(finished.cast.reviewer)

    def say(subject: str) -> None:
        history.record(workstream=workstream, actor=actor, action="x", subject=subject, now=NOON)

    def refused() -> None:
        with unit_of_work():
            say("refused")
            raise WrongState("Not now.")

    with unit_of_work():
        say("before")
        with pytest.raises(WrongState):
            refused()
        say("after")
    assert [entry.subject for entry in HistoryEntry.objects.filter(action="x")] == ["before", "after"]
    assert first_breach() is None


def test_f25_with_the_clock_one_hour_back_order_is_by_sequence_and_no_entry_is_dated_before_another(
    started: Driver,
) -> None:
    """Work goes on at once, and what it says is dated with what it follows until the clock has caught up."""
    last = HistoryEntry.objects.order_by("-sequence")[0]
    started.now -= timedelta(hours=1)
    started.finish()
    entries = list(HistoryEntry.objects.filter(workstream=started.workstream).order_by("sequence"))
    later = [entry for entry in entries if entry.sequence > last.sequence]
    assert len(later) > 10
    assert later[0].recorded_at == last.recorded_at, "the clock said an hour less"
    assert [e.recorded_at for e in entries] == sorted(e.recorded_at for e in entries)
    assert [e.number for e in entries] == list(range(1, len(entries) + 1))
    assert started.reload().open_tasks == 0
    assert first_breach() is None
    assert state_problems(started.reload()) == []


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_change_history(finished: Driver, act: str) -> None:
    entries = HistoryEntry.objects.filter(sequence=3)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entries.update(reason="x") if act == "update" else entries._raw_delete("default")
    assert first_breach() is None


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
    from orchestrator.services.base.actor import ORCHESTRATOR
    from tests.cast import NOON

    with pytest.raises(RuntimeError, match="transaction"):
        history.record(workstream=None, actor=ORCHESTRATOR, action="x", subject="y", now=NOON)
