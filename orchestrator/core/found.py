"""Finding by words: which words a question has, and where a text says them (FR-012)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: Words of a question that count, and characters of each.
MOST_WORDS: Final = 10
LONGEST_WORD: Final = 60
#: Characters of a text that are shown around what was found.
AROUND: Final = 160
_WORD: Final = re.compile(r"[^\W_]+")

#: A piece of a text, and whether it is what was looked for.
Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a text that says most of the words; `line` counts from 1."""

    line: int
    pieces: tuple[Piece, ...]


def words_asked(question: str) -> tuple[str, ...]:
    """The words of a question, each once; every one is looked for as the beginning of a word."""
    found = (word[:LONGEST_WORD].lower() for word in _WORD.findall(question))
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


def excerpt(text: str, words: tuple[str, ...]) -> Excerpt | None:
    """The line with most of the words, cut to what stands around the first of them; None without any."""
    best, place, hits = "", 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        said = len({match[1].lower() for match in _pattern(words).finditer(line)})
        if said > hits:
            best, place, hits = line, number, said
    return Excerpt(place, marked(_cut(best, words), words)) if hits else None


def marked(text: str, words: tuple[str, ...]) -> tuple[Piece, ...]:
    """The text in pieces, with the words that begin like one that was asked for marked."""
    pieces: list[Piece] = []
    done = 0
    for match in _pattern(words).finditer(text):
        pieces += [(text[done : match.start()], False), (match[0], True)]
        done = match.end()
    pieces.append((text[done:], False))
    return tuple(piece for piece in pieces if piece[0])


def _cut(line: str, words: tuple[str, ...]) -> str:
    first = _pattern(words).search(line)
    begin = max(0, (first.start() if first else 0) - AROUND // 2)
    part = line[begin : begin + 2 * AROUND]
    return f"{'… ' if begin else ''}{part.strip()}{' …' if begin + 2 * AROUND < len(line) else ''}"


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    some = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?<![^\W_])({some})[^\W_]*", re.IGNORECASE)
