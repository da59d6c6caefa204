"""How a column stands in a row's bytes (FR-009)."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from orchestrator.core.json_text import json_text
from orchestrator.core.sealing.rows import Value


def value_of(value: object) -> Value:
    """A column as it stands in a row's bytes: times in UTC, contents by their SHA-256, JSON as its text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict | list | tuple):
        return json_text(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"A column of {type(value)} is in no row's bytes.")
