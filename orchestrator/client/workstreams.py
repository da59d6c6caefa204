"""Workstreams: found by the name that people use."""

from typing import Any
from uuid import UUID

from orchestrator.client.connection import Connection
from orchestrator.client.login import Misconfigured


def find_workstream(connection: Connection, name: str) -> dict[str, Any]:
    """The workstream with this slug or UUID, with all of its tasks.

    Raises `Misconfigured` for an unknown one.
    """
    facts: dict[str, Any] = connection.get(f"workstreams/{_uuid(connection, name)}/")
    return facts


def _uuid(connection: Connection, name: str) -> str:
    try:
        return str(UUID(name))
    except ValueError:
        found = connection.get("workstreams/", slug=name)["items"]
    if not found:
        raise Misconfigured(f"There is no workstream {name!r}. `orchestrator status` lists them.")
    return str(found[0]["uuid"])
