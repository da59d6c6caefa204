"""FR-009: tiles are laid out as C2SP's `tlog-tiles` says, and no hash is missing from what a tree has of
them."""

import pytest

from orchestrator.core.sealing.merkle import leaf_hash, root_between, root_of
from orchestrator.core.sealing.tiles import Tile, new_tiles, nodes_in, outgrown, read_path, root_of_tile

HASHES = [leaf_hash(b"%d" % number) for number in range(1_200)]


def tile(level: int, number: int) -> bytes:
    if level:
        below = range(number * 256, min(number * 256 + 256, len(HASHES) >> 8 * level))
        return b"".join(root_of_tile(tile(level - 1, one)) for one in below)
    return b"".join(HASHES[number * 256 : number * 256 + 256])


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 5, 17), "tile/1/005.p/17"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(2, 1000, 255), "tile/2/x001/000.p/255"),
    ],
)
def test_fr009_a_tile_has_one_path(given: Tile, path: str) -> None:
    assert given.path == path
    assert read_path(path.removeprefix("tile/")) == (str(given.level), given.number, given.width)


@pytest.mark.parametrize(
    "path",
    [
        "0",
        "0/1",
        "0/0000",
        "0/x000/001",
        "0/001/002",
        "0/001.p/0",
        "0/001.p/256",
        "0/001.p/01",
        "0/001.p/",
        "0/../001",
    ],
)
def test_fr009_no_other_path_names_a_tile(path: str) -> None:
    assert read_path(path) is None


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1_000, 1_200])
def test_fr009_the_root_follows_from_the_tiles(size: int) -> None:
    assert root_between(nodes_in(tile), 0, size) == root_of(HASHES[:size])


def test_fr009_a_tree_that_grows_adds_tiles_and_drops_partial_ones() -> None:
    stored: set[Tile] = set()
    for old, new in ((0, 3), (3, 255), (255, 256), (256, 600), (600, 70_000), (70_000, 70_000)):
        stored = (stored - set(outgrown(old, new))) | set(new_tiles(old, new))
        assert stored == set(new_tiles(0, new)), (old, new)
