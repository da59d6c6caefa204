"""Landlock.

A process gives up the files it does not need, without being root (Linux 5.13; docs.kernel.org).
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from typing import Final

from orchestrator.sandbox import kernel

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
READ: Final = EXECUTE | READ_FILE | READ_DIR
CHANGE: Final = (
    WRITE_FILE
    | REMOVE_DIR
    | REMOVE_FILE
    | MAKE_DIR
    | MAKE_REG
    | MAKE_SOCK
    | MAKE_FIFO
    | MAKE_SYM
    | REFER
    | TRUNCATE
)
#: What may be granted on a path that is no folder.
ON_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
TCP: Final = 0b11
#: Signals to, and abstract sockets of, processes outside.
SCOPES: Final = 0b11
#: Before it a file could be emptied although it could not be written.
OLDEST: Final = 3
#: From it on signals to processes outside are stopped as well.
SIGNALS_FROM: Final = 6
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The ABI of this kernel; 0 where there is no Landlock, it is turned off, or too old to be of use."""
    if not kernel.LINUX:
        return 0
    try:
        found = kernel.system_call("landlock", kernel.LANDLOCK_CREATE, None, 0, _ASK_VERSION)
    except OSError:
        return 0
    return found if found >= OLDEST else 0


def restrict(abi: int, read: Iterable[str], write: Iterable[str], *, tcp: bool) -> None:
    """Give up every file but these, for this process and all it starts. Needs `PR_SET_NO_NEW_PRIVS`.

    `tcp` says whether connections may be made and taken. What does not exist is passed over.
    """
    handled = (1 << (16 if abi >= 5 else 15)) - 1
    ruleset = _Ruleset(handled, 0 if tcp or abi < 4 else TCP, SCOPES if abi >= SIGNALS_FROM else 0)
    # An older kernel knows a shorter structure.
    size = 16 if abi >= 4 else 8
    size = 24 if abi >= SIGNALS_FROM else size
    descriptor = kernel.system_call("landlock", kernel.LANDLOCK_CREATE, ctypes.byref(ruleset), size, 0)
    try:
        for path in read:
            _allow(descriptor, path, READ)
        for path in write:
            _allow(descriptor, path, READ | CHANGE)
        kernel.system_call("landlock", kernel.LANDLOCK_RESTRICT, descriptor, 0)
    finally:
        os.close(descriptor)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(found).st_mode) else rights & ON_FILES
        rule = _PathBeneath(allowed, found)
        kernel.system_call("landlock", kernel.LANDLOCK_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(found)
