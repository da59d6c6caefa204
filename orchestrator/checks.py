"""System checks: what an operator has to know about this machine before work starts."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register
from django.db import connection

from orchestrator.core.people.second_factor import KNOWN
from orchestrator.sandbox import layers

#: The tag of our own checks; `serve` runs these alone, because loading every address for the others takes a
#: second.
TAG = "orchestrator"


@register(TAG)
def sqlite_journal(**_: Any) -> list[CheckMessage]:
    """Says which journal is used and why (sqlite.org/wal.html, "WAL-reset bug")."""
    if connection.vendor != "sqlite" or settings.SQLITE_WAL_IS_SAFE:
        return []
    return [
        Info(
            f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug; the rollback journal is used instead.",
            hint="It is safe and somewhat slower. SQLite 3.51.3 or PostgreSQL (DATABASE_URL) lift this.",
            id="orchestrator.I001",
        )
    ]


@register(TAG)
def open_tools(**_: Any) -> list[CheckMessage]:
    """Says at every start that the operator lets tools run open."""
    if settings.TOOLS_SANDBOX != "off":
        return []
    hint = "Let only those people hand in code whom you trust with the server itself, or unset TOOLS_SANDBOX."
    return [Warning(layers.told(settings.TOOLS_SANDBOX), hint=hint, id="orchestrator.W002")]


@register(TAG, deploy=True)
def refused_tools(**_: Any) -> list[CheckMessage]:
    """Says in `check --deploy` that tool steps are refused here; `serve` says it as well.

    Trying takes a moment.
    """
    if settings.TOOLS_SANDBOX == "off" or not layers.missing(layers.found()):
        return []
    return [Warning(layers.told(settings.TOOLS_SANDBOX), id="orchestrator.W003")]


@register(TAG)
def second_factor_policy(**_: Any) -> list[CheckMessage]:
    """A misspelt role would leave out those whom the operator means."""
    unknown = sorted(set(settings.SECOND_FACTOR_FOR) - KNOWN)
    if not unknown:
        return []
    return [
        Error(
            f"SECOND_FACTOR_FOR names {', '.join(unknown)}, which is no role.",
            hint=f"The words are {', '.join(sorted(KNOWN))}, with commas between them.",
            id="orchestrator.E001",
        )
    ]
