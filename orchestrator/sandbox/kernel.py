"""Calls of the Linux kernel that Python has no name for. A failed one is an OSError that says which."""

import ctypes
import os
import sys
from typing import Any, Final

#: System calls that glibc has no function for; x86-64 and arm64 share the numbers of all calls since 2019.
MOUNT_SETATTR: Final = 442
LANDLOCK_CREATE: Final = 444
LANDLOCK_ADD: Final = 445
LANDLOCK_RESTRICT: Final = 446
PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_SET_CHILD_SUBREAPER: Final = 36
PR_SET_NO_NEW_PRIVS: Final = 38

ARCHITECTURE: Final = os.uname().machine
LINUX: Final = sys.platform == "linux" and ARCHITECTURE in PIVOT_ROOT

_libc: Final = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> int:
    """A function of the C library."""
    return _checked(name, getattr(_libc, name)(*arguments))


def system_call(name: str, number: int, *arguments: Any) -> int:
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return _checked(name, _libc.syscall(ctypes.c_long(number), *words))


def prctl(option: int, value: Any = 0, further: Any = 0) -> None:
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in (value, further, 0, 0)]
    _checked(f"prctl {option}", _libc.prctl(option, *words))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = [word.encode() if word else None for word in (source, target, kind)]
    told = _libc.mount(*words, ctypes.c_ulong(flags), options.encode() if options else None)
    _checked(f"mount {kind or source} on {target}", told)


def drop_capabilities() -> None:
    """Give up every power of root that this process has; with no new privileges it never gets them back."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _checked("capset", _libc.capset(header, (ctypes.c_uint32 * 6)()))


def _checked(name: str, told: int) -> int:
    if told < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return told
