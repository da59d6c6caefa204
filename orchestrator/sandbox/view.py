"""The files that exist for a tool: a root folder of its own, made of pieces of the real one (mount
namespace).

What is not named is not hidden but absent: other worktrees, the database, sockets of servers, homes.
"""

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from orchestrator.sandbox import kernel
from orchestrator.sandbox.policy import SandboxPolicy

NEW_MOUNTS, NEW_NAMES, NEW_IPC = 0x00020000, 0x04000000, 0x08000000
NEW_USERS, NEW_PROCESSES, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_DETACH: Final = 2
_AT_RECURSIVE: Final = 0x8000
_AT_HERE: Final = -100
#: Where the run's temporary folder is seen.
TEMPORARY: Final = "/tmp"  # noqa: S108
#: Where programs put memory that they share.
MEMORY: Final = "/dev/shm"  # noqa: S108
#: Devices that programs expect; each is harmless.
DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("users", ctypes.c_uint64),
    )


def separate(*, network: bool) -> None:
    """Leave the machine's processes, messages, name and, unless it is allowed, network behind.

    Children are inside.
    """
    flags = NEW_PROCESSES | NEW_IPC | NEW_NAMES | (0 if network else NEW_NETWORK)
    user, group = os.getuid(), os.getgid()
    kernel.call("unshare", flags | (NEW_USERS if user else 0))
    if user:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")


def enter(policy: SandboxPolicy) -> None:
    """Make the policy's files the only ones there are for this process."""
    kernel.call("unshare", NEW_MOUNTS)
    # The folders that lead to the pieces are made here, and a tool of another user has to get through them,
    # although the server's own files are for its account alone. Nothing is written outside the new root.
    os.umask(0o022)
    kernel.mount("", "/", "", _RECURSIVE | _PRIVATE)
    root = f"{policy.scratch}/root"
    os.mkdir(root)
    kernel.mount("tmpfs", root, "tmpfs", _NO_SUID | _NO_DEVICES, "mode=755,size=1m")
    _show(root, policy.temporary, _NO_SUID | _NO_DEVICES, at=TEMPORARY)
    for path in _outermost(policy.read):
        _show(root, path, _READ_ONLY | _NO_SUID | _NO_DEVICES)
    for device in DEVICES:
        _show(root, device, _NO_SUID)
    for name, target in LINKS.items():
        os.symlink(target, f"{root}/dev/{name}")
    _own_memory(f"{root}{MEMORY}")
    _processes(root)
    for path in _outermost(policy.write):
        _show(root, path, _NO_SUID | _NO_DEVICES)
    for path in policy.fixed:
        _show(root, path, _READ_ONLY | _NO_SUID | _NO_DEVICES)
    _become_root(root)
    if not policy.network:
        _loopback()


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths in which the others lie, sorted; the others are shown with them."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == above or path.startswith(f"{above}/") for above in kept):
            kept.append(path)
    return kept


def _show(root: str, path: str, attributes: int, at: str = "") -> None:
    """Let `path` be seen in the new root. A link is made again; what does not exist is passed over."""
    target = f"{root}{at or path}"
    if os.path.islink(path) and not at:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(path), target)
    elif os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
        _bind(path, target, attributes)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            _write(target, "")
        _bind(path, target, attributes)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _bind(path: str, target: str, attributes: int) -> None:
    kernel.mount(path, target, "", _BIND | _RECURSIVE)
    _set(target, attributes, _AT_RECURSIVE)


def _set(target: str, attributes: int, how: int) -> None:
    wanted = _Attributes(attributes, 0, 0, 0)
    where = ctypes.c_char_p(os.fsencode(target))
    words = (_AT_HERE, where, how, ctypes.byref(wanted), ctypes.sizeof(wanted))
    kernel.system_call("mount_setattr", kernel.MOUNT_SETATTR, *words)


def _own_memory(folder: str) -> None:
    os.mkdir(folder)
    kernel.mount("tmpfs", folder, "tmpfs", _NO_SUID | _NO_DEVICES | _NO_PROGRAMS, "mode=1777,size=64m")


def _processes(root: str) -> None:
    """Its own processes and no others. A container may forbid this mount; then there is no /proc at all."""
    os.makedirs(f"{root}/proc", exist_ok=True)
    with suppress(OSError):
        kernel.mount("proc", f"{root}/proc", "proc", _READ_ONLY | _NO_SUID | _NO_DEVICES | _NO_PROGRAMS)


def _become_root(root: str) -> None:
    os.chdir(root)
    here = ctypes.c_char_p(b".")
    kernel.system_call("pivot_root", kernel.PIVOT_ROOT[kernel.ARCHITECTURE], here, here)
    kernel.call("umount2", b".", _DETACH)
    os.chdir("/")
    _set("/", _READ_ONLY, 0)


def _loopback() -> None:
    """Programs that talk to themselves find an address; it leads nowhere else."""
    up, get, put, inet, datagrams = 1, 0x8913, 0x8914, 2, 2
    descriptor = kernel.call("socket", inet, datagrams, 0)
    with suppress(OSError):
        told = fcntl.ioctl(descriptor, get, struct.pack("16sH22x", b"lo", 0))
        flags = struct.unpack("16sH22x", told)[1]
        fcntl.ioctl(descriptor, put, struct.pack("16sH22x", b"lo", flags | up))
    os.close(descriptor)
