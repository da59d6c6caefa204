"""A filter of system calls (seccomp): what no tool needs, and what would lead around the rest, is refused."""

import ctypes
import errno
from collections.abc import Collection, Sequence
from typing import Final

from orchestrator.sandbox import kernel

#: Refused, with their numbers on x86-64 and arm64: other processes' memory, mounts, namespaces, the kernel
#: itself, and io_uring, which would open sockets past this filter. Equal numbers for what came after 2019.
REFUSED: Final[dict[str, tuple[int, int]]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "mount_setattr": (442, 442),
}
#: Refused as well where the tool shares processes and files with the rest of the machine: Landlock does not
#: watch over modes, owners, times and attributes of a path, nor over memory and queues that have a name.
REFUSED_AMONG_OTHERS: Final[dict[str, tuple[int, int | None]]] = {
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "removexattrat": (466, 466),
    "inotify_add_watch": (254, 27),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
}
#: Of these only the caller itself may be the target there; process 0 means that.
ONLY_ON_ITSELF: Final = {
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
}
#: Where nothing else keeps a tool from sending signals outside: only to the tool itself and, as 0, to its
#: group.
SIGNALS: Final[dict[str, tuple[int, int]]] = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
PIDFD_SEND_SIGNAL: Final = 424
#: A file can be told to send signals too.
FCNTL, SET_OWNER = (72, 25), (8, 15)
IOCTL, SET_GROUP = (16, 29), (0x8901, 0x8902)
SOCKET: Final = (41, 198)
CLONE: Final = (56, 220)
#: Its flags stand in memory, where no filter can look; the C library goes back to `clone` when it is not
#: there.
CLONE3: Final = (435, 435)
NEW_NAMESPACES: Final = 0x7E020000
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10

_AUDIT_ARCHITECTURE: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32: Final = 0x40000000
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_MODE_FILTER: Final = 2

Instruction = tuple[int, int, int, int]


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def program(
    families: Collection[int], *, alone: bool, only: int = 0, refused: Collection[int] | None = None
) -> list[Instruction]:
    """The filter for this machine. Sockets may be made of these families only.

    `alone` says that the tool sees no processes and files but its own; `only` is the process that may be sent
    signals, 0 when others are out of reach anyway; `refused` are other numbers than the usual ones.
    """
    here = 0 if kernel.ARCHITECTURE == "x86_64" else 1
    usual: list[int | None] = [pair[here] for pair in REFUSED.values()]
    usual += [] if alone else [pair[here] for pair in REFUSED_AMONG_OTHERS.values()]
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCHITECTURE[kernel.ARCHITECTURE]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if here == 0:
        lines += [(_AT_LEAST, 0, 1, _X32), _refuse(errno.EPERM)]
    for number in usual if refused is None else refused:
        lines += [(_EQUAL, 0, 1, number), _refuse(errno.EPERM)] if number is not None else []
    for pair in () if alone else ONLY_ON_ITSELF.values():
        lines += _only(pair[here], [0])
    if only:
        for pair in SIGNALS.values():
            lines += _only(pair[here], [0, only])
        lines += [(_EQUAL, 0, 1, PIDFD_SEND_SIGNAL), _refuse(errno.EPERM)]
        lines += [*_never(FCNTL[here], SET_OWNER), *_never(IOCTL[here], SET_GROUP)]
    lines += [(_EQUAL, 0, 1, CLONE3[here]), _refuse(errno.ENOSYS)]
    lines += [(_EQUAL, 0, 4, CLONE[here]), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_ANY_OF, 0, 1, NEW_NAMESPACES)]
    lines += [_refuse(errno.EPERM), (_LOAD, 0, 0, _NUMBER)]
    lines += [(_EQUAL, 1, 0, SOCKET[here]), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
    for family in families:
        lines += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW)]
    return [*lines, _refuse(errno.EACCES)]


def _only(number: int, allowed: Sequence[int]) -> list[Instruction]:
    """Refuse a call whose first argument is none of these."""
    count = len(allowed)
    checks = [(_EQUAL, count - place, 0, value) for place, value in enumerate(allowed)]
    ends = [_refuse(errno.EPERM), (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, count + 3, number), (_LOAD, 0, 0, _FIRST_ARGUMENT), *checks, *ends]


def _never(number: int, values: Sequence[int]) -> list[Instruction]:
    """Refuse a call whose second argument is one of these."""
    lines: list[Instruction] = [(_EQUAL, 0, 2 * len(values) + 2, number), (_LOAD, 0, 0, _SECOND_ARGUMENT)]
    for value in values:
        lines += [(_EQUAL, 0, 1, value), _refuse(errno.EPERM)]
    return [*lines, (_LOAD, 0, 0, _NUMBER)]


def install(lines: list[Instruction]) -> None:
    """Put the filter over this process and all it starts. Needs `PR_SET_NO_NEW_PRIVS`."""
    instructions = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(_Program(len(lines), instructions)))


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | number)
