"""FR-009: a walk compares what others saw of the history at the very entry that it is about."""

import pytest

from orchestrator.core.sealing.chain import Claim, Link, Walk, leaf_hash
from orchestrator.core.sealing.merkle import root_of

ENTRIES = 700
SIZES = (1, 2, 3, 100, 255, 256, 257, 511, 512, 600, 699, 700)
LEAVES = [f"entry {number}" for number in range(1, ENTRIES + 1)]
HASHES = [leaf_hash(leaf.encode()) for leaf in LEAVES]


def link(place: int, **other: object) -> Link:
    before = HASHES[place - 2] if place > 1 else ""
    return Link(place, None, place, LEAVES[place - 1], "", HASHES[place - 1], before)._replace(**other)


def claim(size: int, root: bytes | None = None) -> Claim:
    return Claim(size, root or root_of(map(bytes.fromhex, HASHES[:size])), f"the one over {size}")


def problems(walk: Walk) -> list[tuple[int, str]]:
    found = [(number, walk.problem_of(link(number))) for number in range(1, ENTRIES + 1)]
    return [(number, problem) for number, problem in found if problem]


def test_fr009_what_agrees_is_no_problem() -> None:
    walk = Walk(claim(size) for size in SIZES)
    assert problems(walk) == []
    assert (walk.size, walk.problem_at_end()) == (ENTRIES, "")


@pytest.mark.parametrize("size", SIZES)
def test_fr009_another_root_is_found_at_its_entry(size: int) -> None:
    walk = Walk([*map(claim, SIZES), claim(size, bytes(32))])
    assert problems(walk) == [(size, f"up to here the history is another one than the one over {size} says")]


def test_fr009_a_claim_over_more_is_found_at_the_end_and_compared_when_more_came() -> None:
    walk = Walk([claim(3, bytes(32)), claim(4)])
    assert [walk.problem_of(link(number)) for number in (1, 2)] == ["", ""]
    assert walk.problem_at_end() == "2 entries are missing at the end: the one over 4 covers 4"
    assert "another one" in walk.problem_of(link(3))
    assert (walk.problem_of(link(4)), walk.problem_at_end()) == ("", "")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"sequence": 4}, "entry 3 is missing"),
        ({"leaf": "x"}, "does not match its hash"),
        ({"number": 2}, "where 3 is due"),
        ({"previous_hash": HASHES[0]}, "does not name the entry before it"),
        ({"problem": "it is odd"}, "it is odd"),
    ],
)
def test_fr009_an_entry_that_does_not_go_on_is_no_part(other: dict[str, object], said: str) -> None:
    walk = Walk([claim(3)])
    assert [walk.problem_of(link(number)) for number in (1, 2)] == ["", ""]
    assert said in walk.problem_of(link(3, **other))
    assert (walk.size, walk.problem_of(link(3))) == (2, "")
