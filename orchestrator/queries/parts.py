"""Long lists of ids, cut into what one query takes."""

from collections.abc import Iterator, Sequence
from typing import Final

#: Databases take only so many parameters in a query.
MANY: Final = 1000


def in_parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """At most MANY at a time."""
    return (ids[start : start + MANY] for start in range(0, len(ids), MANY))
