"""FR-009: whatever column somebody changes of a table that the history speaks of, `verify_history` finds it.

Tables and columns are those of the models (`queries/base/covered.py`, which leaves none out), so a new one is
tried without anybody's thinking of it.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.models import CheckConstraint, Field, Model

from orchestrator.models.base.guards import drop_guards
from orchestrator.queries.base.covered import COVERED, REPLAYED
from orchestrator.queries.base.parts_of_rows import Coverage
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.verifying import verify
from tests.acceptance.covered_rows import write_missing
from tests.cast import Driver


@pytest.fixture
def everything(driver: Driver) -> Driver:
    driver.start()
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table t"})
    driver.finish()
    write_missing(driver)
    seal_and_anchor(now=driver.tick())
    assert problem() == ""
    drop_guards()
    return driver


def problem() -> str:
    found = verify(key_ring().public)
    return str(found.breach or "; ".join(found.differences))


def other(field: "Field[Any, Any]", value: Any, rng: random.Random) -> Any:
    """Another value that the column can hold; no other constraint is asked."""
    if field.choices:
        return rng.choice([word for word, _ in field.choices if word != value])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.randint(1000, 9000)
    if isinstance(value, datetime):
        return value + timedelta(microseconds=rng.randint(1, 10**9))
    if isinstance(value, UUID):
        return uuid4()
    if isinstance(value, bytes | memoryview):
        return bytes(value) + b"x"
    if isinstance(value, list | dict):
        return [*value, "x"]
    if value is None:
        kinds = {"DateTimeField": datetime.fromisoformat("2026-01-01T00:00:00+00:00")}
        return kinds.get(field.get_internal_type(), 900_000_001)
    return f"{value}x"[-(field.max_length or 99) :] if value else "x"


@contextmanager
def undone(model: type[Model]) -> Iterator[None]:
    """Whoever has the database asks none of its constraints; nothing of it stays."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for one in model._meta.constraints:
                if isinstance(one, CheckConstraint):
                    cursor.execute(f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{one.name}"')
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
        transaction.set_rollback(True)


def columns_of(one: Coverage) -> Iterator[tuple[Any, str]]:
    """Each column with the rows of which entries speak."""
    for part in one.parts:
        yield from ((part.rows, column) for column in part.columns)
    for column, reason in one.derived.items():
        if reason == REPLAYED:
            yield one.model._default_manager.all(), column


def missed(one: Coverage, rng: random.Random) -> Iterator[str]:
    """Columns of a table in which a change was not found; and the table, where it cannot be removed from."""
    model, name = one.model, one.model.__name__
    fields = {field.attname: field for field in model._meta.concrete_fields}
    for rows, column in columns_of(one):
        values = list(rows.order_by("pk").values_list("pk", column))
        if not values and one.parts:
            yield f"{name} has no row"
        if not values:
            return
        pk, value = rng.choice(values)
        with undone(model):
            fake = other(fields[column], value, rng)
            model._base_manager.filter(pk=pk).update(**{column: fake})
            if not problem():
                yield f"{name}.{column} of {pk}: {value!r} to {fake!r}"
    with undone(model), connection.cursor() as cursor:
        cursor.execute(
            f'DELETE FROM "{model._meta.db_table}" WHERE id = %s', [model._base_manager.first().pk]
        )
        if one.parts and not problem():
            yield f"{name}: a row removed"


def test_fr009_a_change_of_any_column_is_found(everything: Driver) -> None:
    rng = random.Random(20261130)
    assert [said for one in COVERED for said in missed(one, rng)] == []
    assert problem() == ""


@pytest.mark.nightly
def test_fr009_changes_of_any_row_are_found(everything: Driver) -> None:
    seed = random.Random().getrandbits(32)
    rng = random.Random(seed)
    assert [said for _ in range(5) for one in COVERED for said in missed(one, rng)] == [], f"seed {seed}"
