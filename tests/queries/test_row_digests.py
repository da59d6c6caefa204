"""FR-009: the digests that SQLite makes of rows are those of Python, or other ones, and never those of
another row."""

from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection

from orchestrator.core.sealing.chain import Breach
from orchestrator.core.sealing.merkle import leaf_hash
from orchestrator.models import Attempt, Executor, HandoffArtifact, Task
from orchestrator.queries.base.covered import PARTS
from orchestrator.queries.base.row_digests import is_quick, quick_changed, quick_digests
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.queries.base.spoken import stored
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.verifying import verify
from tests.cast import Driver

pytestmark = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite alone writes rows.")
SIGNS = "".join(map(chr, range(0x300))) + "\u2028\u20ac\U0001f600"


def both(kind: str) -> tuple[dict[int, bytes], dict[int, bytes]]:
    ids = list(PARTS[kind].model._base_manager.values_list(PARTS[kind].key, flat=True))
    plain = {row_id: leaf_hash(content) for row_id, content in stored(kind, ids)}
    return dict(quick_digests(PARTS[kind], ids)), plain


@pytest.fixture
def lived(driver: Driver) -> Driver:
    driver.start()
    driver.do("A1")
    return driver


def write(table: str, column: str, value: Any, pk: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, pk])


def test_fr009_both_write_the_same_of_every_row(lived: Driver) -> None:
    HandoffArtifact.objects.update(body=SIGNS)
    compared = 0
    for kind in filter(lambda kind: is_quick(PARTS[kind]), PARTS):
        quick, plain = both(kind)
        assert quick == plain, kind
        compared += len(quick)
    assert compared > 100


@pytest.mark.django_db
def test_fr009_most_rows_are_written_by_sqlite() -> None:
    slow = {kind for kind, part in PARTS.items() if not is_quick(part)}
    assert slow == {"version", "mapping of the version", "output", "receipt", "workstream"}


@pytest.mark.parametrize(
    "value",
    [
        *("2026-03-04 12:00:00\0", "2026-03-04 12:00:00\0.123456", "2026-03-04 12:00\0:00", "soon", ""),
        *(
            "2026-03-04 12:00:0\u00e9",
            "2026-03-04T12:00:00+00:00",
            "2026-03-04 12:00:00+01:00",
            20260304,
            1.5,
        ),
    ],
)
def test_fr009_a_moment_that_is_another_one_for_python_is_so_for_sqlite(lived: Driver, value: Any) -> None:
    executor = Executor.objects.order_by("pk")[0]
    write("orchestrator_executor", "created_at", "2026-03-04 12:00:00", executor.pk)
    before = both("executor")[1][executor.pk]
    write("orchestrator_executor", "created_at", value, executor.pk)
    quick, plain = both("executor")
    assert quick[executor.pk] != before or plain[executor.pk] == before


@pytest.mark.parametrize("more", ["\0", "\0b", " ", b""])
def test_fr009_a_text_that_goes_on_behind_its_end_is_another_one(lived: Driver, more: str | bytes) -> None:
    artifact = HandoffArtifact.objects.order_by("pk")[0]
    before = both("artifact")[0][artifact.pk]
    assert (before, verified()) == (both("artifact")[1][artifact.pk], None)
    body = artifact.body + more if isinstance(more, str) else artifact.body.encode() + more
    write("orchestrator_handoffartifact", "body", body, artifact.pk)
    assert quick_or_nothing(artifact.pk) != before
    found = verified()
    assert found is not None
    assert "artifact" in found.problem


def quick_or_nothing(pk: int) -> bytes | None:
    """A row that holds bytes where text is due cannot be written by SQLite either."""
    with suppress(DatabaseError):
        return dict(quick_digests(PARTS["artifact"], [pk]))[pk]
    return None


def verified() -> Breach | None:
    return verify(key_ring().public if entries_sealed() else ()).breach


def test_fr009_only_rows_that_are_not_as_the_model_makes_them_are_named(lived: Driver) -> None:
    task = Task.objects.order_by("pk")[0]
    Task.objects.filter(pk=task.pk).update(forgiven=2)
    assert [row_id for row_id, _ in quick_changed(PARTS["forgiven failures of the task"])] == [task.pk]
    found = verified()
    assert found is not None
    assert "forgiven failures of the task" in found.problem


def test_fr009_what_an_entry_says_of_a_row_that_is_as_the_model_makes_it_is_compared(lived: Driver) -> None:
    """Such a row is none of those that SQLite names."""
    attempt = Attempt.objects.exclude(ended_at=None).order_by("pk")[0]
    assert verified() is None
    Attempt.objects.filter(pk=attempt.pk).update(ended_at=None)
    assert attempt.pk not in dict(quick_changed(PARTS["end of the attempt"]))
    found = verified()
    assert found is not None
    assert f"end of the attempt with the id {attempt.pk}" in found.problem
