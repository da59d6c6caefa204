"""What is known of very many rows by their ids, in little memory (FR-009).

Ids stand close together, so those that follow one another share a page.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

#: Bytes of a digest, and of it with the number of the entry that said it.
DIGEST, WORD = 32, 40
#: No entry has the number 0.
NOBODY: Final = bytes(WORD - DIGEST)


class Ids:
    """A set of ids: a byte each, where a set takes sixty."""

    _TOGETHER = 512

    def __init__(self) -> None:
        self._pages = defaultdict[int, bytearray](lambda: bytearray(self._TOGETHER))

    def update(self, ids: Iterable[int]) -> None:
        pages, together = self._pages, self._TOGETHER
        for one in ids:
            pages[one // together][one % together] = 1

    def add(self, one: int) -> None:
        self._pages[one // self._TOGETHER][one % self._TOGETHER] = 1

    def __contains__(self, one: object) -> bool:
        if not isinstance(one, int):
            return False
        page = self._pages.get(one // self._TOGETHER)
        return page is not None and page[one % self._TOGETHER] == 1

    def __len__(self) -> int:
        return sum(page.count(1) for page in self._pages.values())


class LastWords:
    """The last word about each row of a kind: its digest and the entry that said it. Forty bytes an id, where
    a dictionary takes two hundred."""

    _IDS = 256

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}
        self._count = 0

    def put(self, row_id: int, word: bytes) -> None:
        number, place = divmod(row_id, self._IDS)
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = bytearray(self._IDS * WORD)
        start = place * WORD
        self._count += page[start + DIGEST : start + WORD] == NOBODY
        page[start : start + WORD] = word

    def get(self, row_id: int) -> bytes | None:
        """None where no entry spoke of it."""
        number, place = divmod(row_id, self._IDS)
        page = self._pages.get(number)
        if page is None:
            return None
        word = bytes(page[place * WORD : (place + 1) * WORD])
        return None if word[DIGEST:] == NOBODY else word

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for number in self._pages:
            first = number * self._IDS
            yield from (one for one in range(first, first + self._IDS) if self.get(one))
