"""Which file patterns can own the same file (BX-5)."""

from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.contention import globs_overlap, literal_start

#: Deep enough for two patterns of three segments, with a name for every pair of segments that meet.
PATHS = [path for size in range(1, 7) for path in product(("a", "b", "ab"), repeat=size)]


@cache
def names_match(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return names_match(pattern[1:], name) or (bool(name) and names_match(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and names_match(pattern[1:], name[1:])


@cache
def owns(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """What is matched, and everything below it, is owned."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return owns(pattern[1:], path) or (bool(path) and owns(pattern, path[1:]))
    return bool(path) and names_match(pattern[0], path[0]) and owns(pattern[1:], path[1:])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("services/auth/*", "services/auth/*", True),
        ("services/auth/*", "services/gateway/*", False),
        ("services/auth", "services/auth/api/views.py", True),
        ("services/auth/", "services/auth/x", True),
        ("services/authors/*", "services/auth/*", False),
        ("**/models.py", "services/auth/**", True),
        ("**/models.py", "services/auth/views.py", True),
        ("*.py", "README.md", False),
        ("src/*.py", "src/a*.py", True),
        ("src/a*", "src/b*", False),
        ("src/?b", "src/a?", True),
        ("src/??", "src/abc", False),
        ("./src//a", "src/a", True),
        ("src/[ab].py", "src/c.py", True),
        ("a{b,c}", "zzz", False),
        ("**", "anything/at/all", True),
        ("x" * 2000, "y", True),
    ],
)
def test_globs_overlap(a: str, b: str, expected: bool) -> None:
    assert globs_overlap(a, b) is expected
    assert globs_overlap(b, a) is expected


SEGMENTS = st.sampled_from(["**", "*", "a", "b", "?", "a*", "*b", "a?", "?*", "*a*", "ab"])
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


@given(PATTERNS, PATTERNS)
def test_overlap_is_symmetric_and_equals_brute_force(a: str, b: str) -> None:
    left, right = tuple(a.split("/")), tuple(b.split("/"))
    shared = any(owns(left, path) and owns(right, path) for path in PATHS)
    assert globs_overlap(a, b) == globs_overlap(b, a) == shared


@given(PATTERNS, PATTERNS)
def test_patterns_with_different_starts_never_overlap(a: str, b: str) -> None:
    first, second = sorted((literal_start(a), literal_start(b)), key=len)
    if second[: len(first)] != first:
        assert not globs_overlap(a, b)
