"""Starts a tool shut in, watches over it, and leaves nothing of it behind; a process of its own, run by
`start`.

Three processes where there are namespaces: this one outside, the first process inside, which collects orphans
and with which everything inside dies, and the tool. Elsewhere two: this one adopts what the tool leaves
behind, and ends it. What goes wrong before the tool runs is written to the pipe `status`; the pipe stays
empty once it runs.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

from orchestrator.sandbox import filter as calls
from orchestrator.sandbox import kernel, landlock, view
from orchestrator.sandbox.policy import SandboxPolicy

PAUSE: Final = 0.005
#: Seconds between two looks at the memory that everything together uses.
LOOK_EVERY: Final = 0.25
FAILED: Final = 125
KILLED: Final = 137
#: What a program may ask about the machine where it has no /proc of its own.
MACHINE: Final = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg")


def main(text: str, status: int, starter: int, argv: list[str]) -> NoReturn:
    """Never comes back.

    `starter` is the process that asked for this: when it has gone meanwhile, nothing runs.
    """
    # Held back until there is something to end.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGTERM, _stop)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != starter:
        sys.exit(FAILED)
    policy = SandboxPolicy.from_text(text)
    with _told(status):
        processes = _processes_allowed(policy)
        if policy.layers.namespaces:
            view.separate(network=policy.network)
        else:
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        with _told(status):
            if policy.layers.namespaces:
                _inside(policy, status, processes, argv)
            _become_tool(policy, status, processes, argv)
    os.close(status)
    code = KILLED
    with suppress(_Stopped):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        code = _watch(child, policy)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _end_all()
    if os.getppid() != starter:
        _clear(policy.scratch)
    os._exit(code)


class _Stopped(BaseException):
    """The starter has ended or wants the tool to end."""


class _told:
    """What fails in the block is written to the pipe, and the process ends."""

    def __init__(self, status: int) -> None:
        self.status = status

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if problem is not None:
            os.write(self.status, str(problem).encode()[:1000] or b"unknown")
            os._exit(FAILED)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stopped


def _clear(folder: str) -> None:
    """Do what the starter would have done, had it not been killed."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _inside(policy: SandboxPolicy, status: int, processes: int, argv: list[str]) -> NoReturn:
    """Be the first process of the new namespaces: everything in them dies with it."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    view.enter(policy)
    tool = os.fork()
    if tool == 0:
        _become_tool(policy, status, processes, argv)
    os.close(status)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.drop_capabilities()
    while True:
        ended, code = os.wait()
        if ended == tool:
            os._exit(_exit_code(code))


def _become_tool(policy: SandboxPolicy, status: int, processes: int, argv: list[str]) -> NoReturn:
    """Give up everything, in the order in which each step is still allowed, then run the program."""
    os.setsid()
    os.chdir(policy.directory)
    os.set_inheritable(status, False)
    os.closerange(3, status)
    os.closerange(status + 1, os.sysconf("SC_OPEN_MAX"))
    _limit(policy, processes)
    if policy.layers.user:
        os.setgroups([])
        os.setresgid(*(policy.layers.user,) * 3)
        os.setresuid(*(policy.layers.user,) * 3)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    _close_files(policy)
    if policy.layers.filter:
        unwatched = not policy.layers.namespaces and policy.layers.landlock < landlock.SIGNALS_FROM
        only = os.getpid() if unwatched else 0
        calls.install(calls.program(_families(policy), alone=policy.layers.namespaces, only=only))
    for number in (signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execve(argv[0], argv, {**os.environ, "TMPDIR": _temporary(policy)})  # noqa: S606


def _temporary(policy: SandboxPolicy) -> str:
    return view.TEMPORARY if policy.layers.namespaces else policy.temporary


def _close_files(policy: SandboxPolicy) -> None:
    if not policy.layers.landlock:
        return
    within = policy.layers.namespaces
    read = [*policy.read, *(("/proc", "/dev") if within else MACHINE)]
    write = [*policy.write, _temporary(policy), *view.DEVICES, *([view.MEMORY] if within else [])]
    landlock.restrict(policy.layers.landlock, read, write, tcp=within or policy.network)


def _families(policy: SandboxPolicy) -> list[int]:
    """Sockets that lead nowhere are harmless.

    With namespaces a tool reaches only itself, or what it is allowed to.
    """
    inet = [calls.AF_INET, calls.AF_INET6]
    if not policy.layers.namespaces:
        return inet if policy.network else []
    # Abstract sockets belong to the network that is shared then; Landlock keeps the tool from them.
    shared = policy.network and policy.layers.landlock < landlock.SIGNALS_FROM
    return inet if shared else [calls.AF_UNIX, *inet]


def _limit(policy: SandboxPolicy, processes: int) -> None:
    limits = policy.limits
    _set_limit(resource.RLIMIT_CORE, 0)
    for kind, most in (
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
    ):
        if most:
            _set_limit(kind, most)


def _set_limit(kind: int, most: int) -> None:
    """Never above what this process itself may use."""
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _processes_allowed(policy: SandboxPolicy) -> int:
    """The kernel counts all processes of a user, so those that run are added.

    A new user namespace counts anew.
    """
    allowed, layers = policy.limits.processes, policy.layers
    if not allowed or (layers.namespaces and os.getuid()):
        return allowed
    user = layers.user or os.getuid()
    return allowed + sum(_threads(pid) for pid in _all_processes() if _owner(pid) == user)


def _all_processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _owner(pid: int) -> int:
    with suppress(OSError):
        return os.stat(f"/proc/{pid}").st_uid
    return -1


def _threads(pid: int) -> int:
    with suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))
    return 0


def _watch(child: int, policy: SandboxPolicy) -> int:
    """Wait for the end of the tool; its exit code. What uses too much memory all together is ended."""
    pause, looked = PAUSE, time.monotonic()
    while True:
        ended, code = os.waitpid(-1, os.WNOHANG)
        if ended == child:
            return _exit_code(code)
        if ended:
            continue
        time.sleep(pause)
        pause = min(pause * 1.2, 0.05)
        if time.monotonic() - looked > LOOK_EVERY:
            looked = time.monotonic()
            if message := _too_much(policy):
                os.write(2, f"\n{message}\n".encode())
                return KILLED


def _too_much(policy: SandboxPolicy) -> str:
    """Why everything has to end: the kernel's own limits hold for one process alone, or not for root."""
    below = list(_below(os.getpid()))
    limits = policy.limits
    if limits.memory and sum(map(_memory, below)) > limits.memory:
        return (
            f"Ended: all processes together used more than {limits.memory // (1024 * 1024)} MB "
            f"(TOOLS_MEMORY_MB)."
        )
    if limits.processes and len(below) > limits.processes + 2:
        return f"Ended: there were more than {limits.processes} processes (TOOLS_PROCESSES)."
    return ""


def _below(pid: int) -> Iterator[int]:
    """Every process that this one or a child of its started."""
    for task in _listed(f"/proc/{pid}/task"):
        for child in _read(f"/proc/{pid}/task/{task}/children").split():
            yield int(child)
            yield from _below(int(child))


def _listed(folder: str) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)
    return []


def _read(path: str) -> str:
    with suppress(OSError), open(path, encoding="ascii") as file:
        return file.read()
    return ""


def _memory(pid: int) -> int:
    words = _read(f"/proc/{pid}/statm").split()
    # Shared pages count once for each process that maps them, so they are left out.
    return (int(words[1]) - int(words[2])) * resource.getpagesize() if len(words) > 2 else 0


def _end_all() -> None:
    """Kill whatever was started.

    What loses its parent comes to this process, so nothing is left at the end.
    """
    while True:
        for pid in list(_below(os.getpid())):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
