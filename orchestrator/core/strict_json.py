"""JSON read strictly: what could mean two things, or nothing, is refused (B10 to B14)."""

import json
from typing import Any, NoReturn

from orchestrator.core.errors import InvalidInput

#: Beyond this, numbers differ between JSON readers (RFC 8785 cannot write them).
LARGEST = 2**53 - 1
#: Levels of nesting; no request of this API needs more than four.
DEEPEST = 32


def read_json(body: bytes, what: str = "body") -> Any:
    """The value of a request body, or of another text that `what` names.

    InvalidInput says what is wrong with it.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The {what} is not UTF-8 text: byte {error.start} is wrong.", field="body"
        ) from None
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"The {what} is not JSON: line {error.lineno}: {error.msg}.", field="body"
        ) from None
    except RecursionError:
        raise InvalidInput(f"The {what} is nested too deeply.", field="body") from None
    check_values(value, what)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidInput(f"The key {_shown(twice)} stands twice in one object.", field=_shown(twice))
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput(f"{name} is not JSON.", field="body")


def _integer(digits: str) -> int:
    if len(digits) > len(str(-LARGEST)) or abs(int(digits)) > LARGEST:
        raise InvalidInput(f"The number {digits[:30]} is too large: {LARGEST} is the most.", field="body")
    return int(digits)


def _number(text: str) -> float:
    if abs(value := float(text)) > LARGEST:
        raise InvalidInput(f"The number {text[:30]} is too large: {LARGEST} is the most.", field="body")
    return value


def check_values(value: Any, what: str = "body") -> None:
    """InvalidInput for deep nesting and for text that no column can hold; does not recurse itself."""
    rest = [(value, 1)]
    while rest:
        one, depth = rest.pop()
        if depth > DEEPEST:
            raise InvalidInput(f"The {what} is nested too deeply.", field="body")
        if isinstance(one, str):
            _check_text(one, what)
        elif isinstance(one, list):
            rest += [(item, depth + 1) for item in one]
        elif isinstance(one, dict):
            rest += [(item, depth + 1) for pair in one.items() for item in pair]


def _check_text(text: str, what: str) -> None:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInput(
            f"The {what} holds characters that are not text (NUL or a lone surrogate).", field="body"
        )


def _shown(key: str) -> str:
    return key[:80].encode("ascii", "backslashreplace").decode()
