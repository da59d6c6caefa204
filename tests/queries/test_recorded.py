"""FR-009: an entry agrees with its leaf when every column says what the leaf says and the leaf is
canonical."""

import json
from datetime import timedelta
from typing import Any

import pytest
import rfc8785
from django.db import connection

from orchestrator.models import HistoryEntry
from orchestrator.models.base.guards import drop_guards
from orchestrator.queries.base.recorded import facts, recorded
from tests.cast import Driver

NAMES = sorted(facts(1, "", 1, "", "", "", "", "", None, "", "", "", None, ""))


@pytest.fixture
def entry(driver: Driver) -> HistoryEntry:
    """One of a person, that says data and speaks of rows."""
    driver.start()
    drop_guards()
    of_people = HistoryEntry.objects.exclude(user=None).order_by("-sequence")
    return next(one for one in of_people if '"rows"' in one.leaf)


def agrees(entry: HistoryEntry) -> bool:
    return next(recorded(after=entry.sequence - 1)).link.problem == ""


def write(entry: HistoryEntry, **columns: Any) -> HistoryEntry:
    HistoryEntry.objects.filter(pk=entry.pk).update(**columns)
    return entry


def test_fr009_every_entry_of_a_run_agrees_with_its_leaf(entry: HistoryEntry) -> None:
    for one, stored in zip(recorded(), HistoryEntry.objects.order_by("sequence"), strict=True):
        said = json.loads(stored.leaf)
        assert one.link.problem == ""
        assert one.beside == {name: said[name] for name in ("data", "rows") if name in said}


@pytest.mark.parametrize("name", NAMES)
def test_fr009_a_leaf_that_leaves_something_out_or_says_another_thing_is_found(
    entry: HistoryEntry, name: str
) -> None:
    said = json.loads(entry.leaf)
    for other in ({key: said[key] for key in said if key != name}, said | {name: "x"}, said | {name: 77}):
        assert not agrees(write(entry, leaf=rfc8785.dumps(other).decode())), other
    assert agrees(write(entry, leaf=entry.leaf))


@pytest.mark.parametrize(
    "column",
    ["actor", "executor", "kind", "account", "action", "subject", "reason", "previous_hash"],
)
def test_fr009_a_column_of_words_that_says_another_thing_is_found(entry: HistoryEntry, column: str) -> None:
    assert not agrees(write(entry, **{column: 'x","a":1'}))
    assert agrees(write(entry, **{column: getattr(entry, column)}))


def test_fr009_another_moment_account_number_or_correction_is_found(entry: HistoryEntry) -> None:
    later = entry.recorded_at + timedelta(microseconds=1)
    for column, value in (("recorded_at", later), ("user", None), ("number", 99), ("corrects", entry)):
        assert not agrees(write(entry, **{column: value})), column
        assert agrees(write(entry, **{column: getattr(entry, column)}))


def test_fr009_a_leaf_that_is_no_canonical_text_is_found(entry: HistoryEntry) -> None:
    said = json.loads(entry.leaf)
    backwards = json.dumps(dict(reversed(said.items())), separators=(",", ":"), ensure_ascii=False)
    spelled = entry.leaf.replace('"rows":', '"rows" :')
    data, rows = (json.dumps(said[name], separators=(",", ":")) for name in ("data", "rows"))
    doubled = entry.leaf.replace(f'"data":{data}', f'"data":{data},"data":{data}')
    inside = entry.leaf.replace(f'"data":{data}', f'"data":{json.dumps(said["data"])}')
    broken = (entry.leaf.replace(rows, ""), entry.leaf + " ", "", "[]")
    for leaf in (backwards, spelled, inside, doubled, *broken):
        assert leaf != entry.leaf
        assert not agrees(write(entry, leaf=leaf)), leaf


def test_fr009_the_same_moment_in_another_spelling_is_the_same(entry: HistoryEntry) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite alone holds moments as text.")
    for text, same in (
        (entry.recorded_at.isoformat(), True),
        ("soon", False),
        ("2026-99-99 00:00:00", False),
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orchestrator_historyentry SET recorded_at = %s WHERE id = %s", [text, entry.pk]
            )
        assert agrees(entry) is same, text
