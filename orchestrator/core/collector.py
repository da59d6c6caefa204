"""Work that makes many small objects and no cycles, without a collector that looks for some."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: So many objects more than before make the collector look, instead of 700: about those of one large page.
#: With 700 it went through all that a page is made of in the middle of every second or third large one, for
#: longer than the page itself took.
OBJECTS: Final = 50_000


def collect_seldom() -> None:
    """For a process that answers requests: what one leaves behind is freed without the collector, but for a
    few cycles, which wait for some megabytes more."""
    gc.set_threshold(OBJECTS)


@contextmanager
def without_collector() -> Iterator[None]:
    """Looking for cycles takes a third of the time of reading a long plan."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
