"""Offspring: what a run has started, in whatever session it lives on, so that it ends with the run (AD-6).

On Linux this process becomes the parent of whatever loses its own among its descendants, so none of them gets
away. Elsewhere only the run's process group is known.
"""

import contextlib
import ctypes
import os
import signal
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_SET_CHILD_SUBREAPER: Final = 36
#: So often what was started meanwhile is looked for again.
_ROUNDS: Final = 20


def adopt_orphans() -> None:
    """From now on. Does nothing where the system cannot."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> set[int]:
    """The ids of all processes below this one."""
    below: dict[int, list[int]] = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdecimal():
            below.setdefault(_parent(entry), []).append(int(entry.name))
    found, left = set[int](), [os.getpid()]
    while left:
        children = below.get(left.pop(), [])
        found |= set(children)
        left += children
    return found


def end_all_but(known: set[int]) -> None:
    """End what is below this process and not among the known, and all that it starts meanwhile."""
    for _ in range(_ROUNDS):
        left = descendants() - known
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _parent(entry: Path) -> int:
    """Of a process that may end meanwhile. Its name may hold blanks and brackets."""
    try:
        return int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
