"""How commands print: answers of the contract as the JSON that REST sends, and how far long work is."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, TextIO, TypeVar

import pydantic_core

Item = TypeVar("Item")
#: Characters of a bar.
BAR: Final = 20


def as_json(answer: Any) -> str:
    """The answer, or a list of answers, as JSON."""
    return pydantic_core.to_json(answer, indent=2).decode()


def counted(items: Sequence[Item], where: TextIO | None = None) -> Iterator[Item]:
    """The items one by one, with a bar on the terminal; elsewhere nothing is written."""
    screen = where or sys.stderr
    shows = len(items) > 1 and screen.isatty()
    for number, item in enumerate(items):
        if shows:
            _draw(screen, number, len(items))
        yield item
    if shows:
        _draw(screen, len(items), len(items))
        screen.write("\n")


def _draw(screen: TextIO, done: int, of: int) -> None:
    screen.write(f"\r[{'#' * (BAR * done // of):<{BAR}}] {done} of {of}")
    screen.flush()
