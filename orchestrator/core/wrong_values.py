"""What is wrong with a value that was sent, in our words and not in those of the library that found it
(FR-025)."""

from collections.abc import Mapping
from typing import Any, Final

#: What the kinds of errors say whose name begins like this; the first that fits. Names in braces are the
#: limits that the error tells.
_SENTENCES: Final = (
    ("missing", "is missing"),
    ("extra_forbidden", "is no field of this request"),
    ("string_pattern_mismatch", "has a character that no text here may have"),
    ("string_too_long", "has more than {max_length} characters"),
    ("string_too_short", "has fewer than {min_length} characters"),
    ("string", "is no text"),
    ("too_long", "has more than {max_length} entries"),
    ("too_short", "has fewer than {min_length} entries: give at least {min_length}"),
    ("greater_than_equal", "is less than {ge}"),
    ("greater_than", "is not more than {gt}"),
    ("less_than_equal", "is more than {le}"),
    ("less_than", "is not less than {lt}"),
    ("int_parsing_size", "is beyond all numbers that there are here"),
    ("int", "is no whole number"),
    ("float", "is no number"),
    ("finite_number", "is no number"),
    ("decimal", "is no number"),
    ("bool", "is neither true nor false"),
    ("none_required", "has to be left out"),
    ("literal_error", "is none of {expected}"),
    ("enum", "is none of {expected}"),
    ("list", "is no list"),
    ("tuple", "is no list"),
    ("set", "is no list"),
    ("iterable", "is no list"),
    ("dict", "is no object of names and values"),
    ("mapping", "is no object of names and values"),
    ("model", "is no object of names and values"),
    ("dataclass", "is no object of names and values"),
    ("uuid", "is no UUID, such as 123e4567-e89b-12d3-a456-426614174000"),
    ("datetime", "is no date and time, such as 2026-01-31T12:00:00Z"),
    ("timezone", "is no date and time with its zone, such as 2026-01-31T12:00:00Z"),
    ("date", "is no date, such as 2026-01-31"),
    ("json", "is no JSON"),
)
OTHERWISE: Final = "does not fit"


def what_is_wrong(error: Mapping[str, Any]) -> str:
    """What comes behind the name of the field."""
    words = next((said for kind, said in _SENTENCES if error["type"].startswith(kind)), OTHERWISE)
    return words.format_map(error.get("ctx") or {})
