"""At least one row of every table that the history speaks of, written as acts write theirs."""

from datetime import datetime
from typing import Any

from django.db.models import Field, Model

from orchestrator.core.actions import Action
from orchestrator.models import Comment, Verification
from orchestrator.queries.base.covered import COVERED
from orchestrator.services.base import history
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.unit_of_work import unit_of_work
from tests.cast import Driver

#: Values of columns by which a row would not be spoken of, or not be taken.
CHOSEN: dict[tuple[type[Model], str], str | None] = {
    (Verification, "state"): "proved",
    (Comment, "discarded_at"): None,
}


def write_missing(driver: Driver) -> None:
    """A row of each table that the work of `driver` has left empty, over and done with."""
    now = driver.tick()
    with unit_of_work():
        for one in COVERED:
            if one.parts and not one.model._base_manager.exists():
                _row(one.model, now)
        history.record(
            workstream=driver.reload(),
            actor=ORCHESTRATOR,
            action=Action.ENTRY_CORRECTED,
            subject="entry 1",
            now=now,
        )


def _row(model: type[Model], now: datetime) -> Model:
    columns = {}
    for field in model._meta.concrete_fields:
        nothing = field.null and field.is_relation and field.related_model is model
        if not (field.primary_key or field.generated or nothing):
            own = (model, field.name)
            columns[field.name] = CHOSEN[own] if own in CHOSEN else _value(field, now)
    row = model(**columns)
    row.save()
    history.speaks_of(row)
    return row


def _value(field: "Field[Any, Any]", now: datetime) -> Any:
    """Something that the column can hold."""
    if field.is_relation:
        return field.related_model._base_manager.first() or _row(field.related_model, now)
    if field.choices:
        return next(word for word, _ in field.choices if word)
    kind = field.get_internal_type()
    if kind == "DateTimeField":
        return now
    if kind in {"CharField", "TextField", "SlugField"}:
        return "x"
    return field.get_default() if field.has_default() else 1
