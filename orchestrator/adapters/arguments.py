"""What a plan may pass to a tool: words, never a shell, and no path that leaves the worktree.

See design section 7.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.core.errors import InvalidInput

LENGTH_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Options:
    """The options a tool accepts, each in full.

    `flags` stand alone, `valued` take a value (`-k x`, `--tb=short`).
    """

    flags: frozenset[str]
    valued: frozenset[str]


def words(run: str, tool: str) -> list[str]:
    """The arguments in a step's `Run`; the tool's own name may stand in front. Raises `InvalidInput`."""
    if len(run) > LENGTH_LIMIT:
        raise InvalidInput(f"Run is longer than {LENGTH_LIMIT} characters.", field="Run")
    try:
        found = shlex.split(run)
    except ValueError as problem:
        raise InvalidInput(f"Run cannot be split into words ({problem}): {run}", field="Run") from problem
    if any("\0" in word for word in found):
        raise InvalidInput("Run holds a character that no argument can have (NUL).", field="Run")
    return found[1:] if found[:1] == [tool] else found


def inside(word: str) -> str:
    """`word` itself when it is a path below the worktree; an absolute path or `..` raises `InvalidInput`."""
    if "\0" in word or word.startswith(("/", "~")) or "\\" in word or ".." in PurePosixPath(word).parts:
        raise InvalidInput(f"“{word}” leaves the worktree; give a path below it.", field="Run")
    return word


def allowed(given: Sequence[str], tool: str, options: Options) -> list[str]:
    """`given`, checked word by word against what the tool accepts; anything else raises `InvalidInput`.

    What is not listed is refused, whatever it means: short options in one word, beginnings of long ones,
    `--`, and words with an `@` in front, for which pytest and ruff would read arguments from a file that the
    work brought.
    """
    checked: list[str] = []
    rest = iter(given)
    for word in rest:
        _no_argument_file(word)
        name, equals, _value = word.partition("=")
        if not word.startswith("-"):
            checked.append(inside(word))
        elif word in options.flags or (equals and name in options.valued):
            checked.append(word)
        elif word in options.valued:
            checked += [word, _value_of(word, rest, tool)]
        else:
            raise InvalidInput(f"{tool} may not be given the option {name} by a plan.", field="Run")
    return checked


def _value_of(option: str, rest: Iterator[str], tool: str) -> str:
    value = next(rest, None)
    if value is None or value.startswith("-"):
        raise InvalidInput(f"{tool}'s option {option} needs a value.", field="Run")
    _no_argument_file(value)
    return value


def _no_argument_file(word: str) -> None:
    if word.startswith("@"):
        raise InvalidInput(f"“{word}” would read arguments from a file; write them into Run.", field="Run")
