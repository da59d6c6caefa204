"""So many at once, in all processes of this machine: a turn is a locked file, which the kernel lets go with
its holder.

A few may wait for a turn; whoever comes when those places are taken, too, is refused at once, so that waiting
holds no more threads than working does.
"""

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from orchestrator.core.errors import Busy

TICK: Final = 0.05

_own = threading.local()


@contextmanager
def turn(folder: Path, at_once: int, patience: float) -> Iterator[None]:
    """One of the turns that the folder stands for; Busy when none comes in time.

    Who has one already keeps it.
    """
    held: set[Path] = _own.__dict__.setdefault("held", set())
    if folder in held:
        yield
        return
    with _taken(folder, at_once, patience):
        held.add(folder)
        try:
            yield
        finally:
            held.discard(folder)


@contextmanager
def _taken(folder: Path, at_once: int, patience: float) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    found = _any(folder, "turn", at_once) or _waited_for(folder, at_once, patience)
    if found is None:
        raise Busy(f"{at_once} large plans are being read, and others wait for their turn.")
    with found:
        yield


def _waited_for(folder: Path, at_once: int, patience: float) -> IO[bytes] | None:
    place = _any(folder, "waiting", at_once)
    if place is None:
        return None
    deadline = time.monotonic() + patience
    with place:
        while time.monotonic() < deadline:
            time.sleep(TICK)
            if found := _any(folder, "turn", at_once):
                return found
    return None


def _any(folder: Path, name: str, count: int) -> IO[bytes] | None:
    """The first of the files that nobody holds, held; closing it lets it go."""
    for number in range(1, count + 1):
        file = (folder / f"{name}-{number}").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        return file
    return None
