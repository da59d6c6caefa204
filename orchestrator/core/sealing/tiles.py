"""Where the hashes of the tree are stored and served: the layout of C2SP `tlog-tiles` (FR-009).

A tile has up to 256 hashes that stand side by side: those of level 0 are hashes of leaves, those of a level
above are the roots of full tiles below. A full tile never changes; the last one of a level is partial,
named by its width.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from orchestrator.core.sealing.merkle import Nodes, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
BYTES: Final = 32
_DIGITS: Final = re.compile("[0-9]{3}")
#: Where the newest checkpoint stands.
CHECKPOINT: Final = "checkpoint"


class Tile(NamedTuple):
    """`width` hashes of a level, from the `number * 256`-th on."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        name = f"tile/{self.level}/{_number_path(self.number)}"
        return name if self.width == WIDTH else f"{name}.p/{self.width}"


def _number_path(number: int) -> str:
    """Three digits a folder, all but the last marked: 1234067 is `x001/x234/067`."""
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def read_path(path: str) -> tuple[str, int, int] | None:
    """What a path behind `tile/` names: the level as it is written, the number and the width; None for no
    such path."""
    level, _, rest = path.partition("/")
    name, partial, width = rest.partition(".p/")
    *folders, last = name.split("/")
    digits = [*(folder[1:] for folder in folders if folder[:1] == "x"), last]
    if len(digits) != len(folders) + 1 or not all(_DIGITS.fullmatch(one) for one in digits):
        return None
    if partial and not (width.isascii() and width.isdigit() and 0 < int(width[:4]) < WIDTH):
        return None
    number = int("".join(digits[:7]))
    found = level, number, int(width) if partial else WIDTH
    return found if name == _number_path(number) and (not partial or str(int(width)) == width) else None


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles of a tree with `new` leaves that one with `old` did not have, partial ones last in their
    level."""
    for level in range(8):
        before, after = old >> HEIGHT * level, new >> HEIGHT * level
        if not after:
            return
        for number in range(before // WIDTH, after // WIDTH):
            yield Tile(level, number)
        if after % WIDTH and after != before:
            yield Tile(level, after // WIDTH, after % WIDTH)


def outgrown(old: int, new: int) -> Iterator[Tile]:
    """The partial tiles of the smaller tree that the larger one has no more."""
    for level in range(8):
        before, after = old >> HEIGHT * level, new >> HEIGHT * level
        if before % WIDTH and before != after:
            yield Tile(level, before // WIDTH, before % WIDTH)


def root_of_tile(hashes: bytes) -> bytes:
    """The root of a full tile."""
    return subtree(hashes, HEIGHT, 0)


def subtree(hashes: bytes, height: int, number: int) -> bytes:
    """The root of 2^height hashes of a tile, from the `number * 2^height`-th on."""
    row = [
        hashes[place : place + BYTES]
        for place in range(number << (height + 5), (number + 1) << (height + 5), BYTES)
    ]
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]


def nodes_in(tile: Callable[[int, int], bytes]) -> Nodes:
    """A reader of nodes over one of tiles: `tile(level, number)` answers with the hashes that there are of
    it."""
    known = lru_cache(maxsize=256)(tile)

    def node(height: int, number: int) -> bytes:
        level, inside = divmod(height, HEIGHT)
        place = number << inside
        return subtree(known(level, place // WIDTH), inside, (place % WIDTH) >> inside)

    return node
