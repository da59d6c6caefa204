"""Long lists of ids, cut into what one query takes."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

Name = TypeVar("Name", int, str)

#: Databases take only so many parameters in a query.
MANY: Final = 1000


def in_parts(ids: Sequence[Name]) -> Iterator[Sequence[Name]]:
    """At most MANY at a time."""
    return (ids[start : start + MANY] for start in range(0, len(ids), MANY))
