"""Columns that hold one of the words in `core.terms`: choices for forms, check constraints for the database."""

from enum import StrEnum

from django.db import models


def choices(terms: type[StrEnum]) -> list[tuple[str, str]]:
    return [(term.value, term.value.replace("_", " ").replace("-", " ").capitalize()) for term in terms]


def one_of(column: str, terms: type[StrEnum], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(**{f"{column}__in": [term.value for term in terms]}), name=name)
