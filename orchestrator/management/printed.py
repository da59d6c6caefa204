"""How commands print an answer of the contract: the JSON that REST sends, on several lines."""

from typing import Any

import pydantic_core


def as_json(answer: Any) -> str:
    """The answer, or a list of answers, as JSON."""
    return pydantic_core.to_json(answer, indent=2).decode()
