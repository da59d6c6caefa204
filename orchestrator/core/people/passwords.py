"""Words of the place that no password may be made of: whoever guesses tries them first (FR-011)."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from orchestrator.core.terms import Role

#: The product's name, its words, and what its accounts are called.
PRODUCT_WORDS: Final = (
    *("plan", "execution", "orchestrator", "workflow", "workstream", "operator", "admin"),
    *(role.value for role in Role),
)
#: Letters that a password has to have beside such words. Digits and signs do not count: guessers add them.
LETTERS_BESIDE: Final = 8
#: A shorter word stands in too many others.
SHORTEST: Final = 3
#: What is typed in place of a letter; of a word the letter itself means the same.
_ALIKE: Final = str.maketrans("01!|i34@5$7", "olllleaasst")


def words_of(texts: Iterable[str]) -> list[str]:
    """The words of names such as `Acme & Sons` or `plans.example.org`, each once."""
    said = (word.lower() for text in texts for word in re.findall(r"[^\W_]+", text))
    return list(dict.fromkeys(word for word in said if len(word) >= SHORTEST and not word.isdecimal()))


def words_in(password: str, words: Collection[str]) -> tuple[list[str], int]:
    """Which of the words stand in a password, and how many letters it has beside them."""
    text, found = _folded(password), []
    covered: set[int] = set()
    for word in words:
        for place in _places(_folded(word), text):
            covered.update(range(place, place + len(word)))
            found.append(word)
    beside = sum(one.isalpha() for place, one in enumerate(password) if place not in covered)
    return list(dict.fromkeys(found)), beside


def _folded(text: str) -> str:
    """As many characters, in which a letter and what stands for it are the same."""
    return "".join(one.lower()[:1] for one in text).translate(_ALIKE)


def _places(word: str, text: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)
