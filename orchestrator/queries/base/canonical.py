"""Canonical JSON (RFC 8785): what is hashed and signed has one spelling (FR-009).

Text, whole numbers and truth values under ASCII names have the same bytes from Python's own writer, which is
written in C and many times as fast; whatever else there is goes to the library that knows every rule.
"""

from collections.abc import Iterable
from typing import Any, Final

import rfc8785

from orchestrator.core.json_text import json_text

#: Beyond it JavaScript's numbers are not exact any more, and RFC 8785 refuses them.
LARGEST: Final = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value. Raises rfc8785.CanonicalizationError for what JSON has not."""
    try:
        return json_text(value).encode() if _is_plain(value) else rfc8785.dumps(value)
    except UnicodeEncodeError:  # half of a character: the library says so
        return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    """Whether both write the same: names of other letters are sorted differently, and fractions written."""
    if value is None or isinstance(value, str | bool):
        return True
    if type(value) is int:
        return -LARGEST <= value <= LARGEST
    if type(value) is dict:
        return _are_plain(value) and all(map(_is_plain, value.values()))
    return type(value) in (list, tuple) and all(map(_is_plain, value))


def _are_plain(names: Iterable[Any]) -> bool:
    try:
        return "".join(names).isascii()
    except TypeError:  # a name that is no text
        return False
