"""One writer at a time: an advisory lock that the kernel lets go of when its holder dies (F20, F31)."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace.files import disk_errors

#: Seconds between two looks at a held lock: at first, and at most; a commit takes milliseconds.
FIRST_PAUSE, PAUSE = 0.001, 0.02


@contextmanager
def exclusive(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock file for the block; give up after `patience` seconds with WorkspaceUnavailable."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, path, patience)
        try:
            yield
        finally:
            # A process forked meanwhile shares the descriptor, so closing alone would not let go.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, patience: float) -> None:
    deadline, pause = time.monotonic() + patience, FIRST_PAUSE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise WorkspaceUnavailable(
                    f"Another process has been writing to the workspace for more than "
                    f"{patience:.0f} seconds.",
                    recovery="Nothing is lost: the work is retried by itself. Look for a hanging "
                    "queue worker.",
                    path=path.name,
                ) from None
            time.sleep(pause)
            pause = min(1.5 * pause, PAUSE)
