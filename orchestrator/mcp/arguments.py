"""Arguments that do not fit a tool, refused in our words: which one, why, and the way out (FR-025)."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.core.errors import InvalidInput
from orchestrator.core.wrong_values import what_is_wrong

#: The largest number that databases store.
MOST: Final = 2**63 - 1


def wrong_arguments(tool: str, error: ValidationError) -> InvalidInput:
    """The refusal of a call of `tool`; it names the first wrong argument, and the others behind it."""
    errors = error.errors(include_url=False, include_input=False)
    fields = list(dict.fromkeys(_field(one) for one in errors))
    first = next(one for one in errors if _field(one) == fields[0])
    others = f" Wrong as well: {', '.join(fields[1:])}." if fields[1:] else ""
    return InvalidInput(
        f"{_place(first)} {what_is_wrong(first)}.{others}",
        recovery=f"Call {tool} again with {fields[0]} as the description of the tool says.",
        field=fields[0],
    )


def unknown_argument(tool: str, given: Iterable[str], known: Collection[str]) -> InvalidInput | None:
    """The refusal of a call with an argument that `tool` does not have; None where there is none.

    What is passed over in silence would be taken for done.
    """
    unknown = next((name for name in given if name not in known), None)
    if unknown is None:
        return None
    near = get_close_matches(unknown, known, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return InvalidInput(
        f"{tool} has no argument {unknown[:100]}.",
        recovery=f"{meant}It takes {', '.join(sorted(known)) or 'none'}; nothing was done.",
        field=unknown[:100],
    )


def number_out_of_bounds(tool: str, given: Mapping[str, object]) -> InvalidInput | None:
    """The refusal of a call with a number that nothing here can be; None where there is none."""
    for name, value in given.items():
        if isinstance(value, int) and abs(value) > MOST:
            return InvalidInput(
                f"{name} is beyond all numbers that there are here.",
                recovery=f"Call {tool} again with one that an answer told.",
                field=name,
            )
    return None


def _field(error: ErrorDetails) -> str:
    return str(error["loc"][0]) if error["loc"] else "arguments"


def _place(error: ErrorDetails) -> str:
    """The argument and, behind a dot, the entry in it that is wrong."""
    inside = [str(part) for part in error["loc"][1:] if str(part) != "[key]"]
    return ".".join([_field(error), *inside])[:100]
