"""Columns of one kind in many tables: a word of `core.terms` (choices, check constraints), and who acted."""

from enum import StrEnum

from django.db import models

from orchestrator.core.people.names import LABEL_LENGTH


def choices(terms: type[StrEnum]) -> list[tuple[str, str]]:
    return [(term.value, term.value.replace("_", " ").replace("-", " ").capitalize()) for term in terms]


def one_of(column: str, terms: type[StrEnum], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{column}__in": [term.value for term in terms]}), name=name
    )


def label(*, blank: bool = False) -> "models.CharField[str, str]":
    """Who acted, in the words of `Actor.label` at the act: the account, its executor, and what kind that is.

    It stands beside the account that the act counts for, because an account's agent is not the person.
    """
    return models.CharField(max_length=LABEL_LENGTH, blank=blank)
