"""Runs one tool as a process group of its own: clean environment, time limit, capped output, no shell.

On Linux the kernel also kills the tool when its executor dies (PR_SET_PDEATHSIG); elsewhere the lane's lock, which
the tool inherits, keeps a second run out of the worktree until the first has ended.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from orchestrator.adapters.tool import Job

#: Bytes of output kept: the beginning and the end; what lies between is counted, not kept.
HEAD_LIMIT: Final = 40_000
TAIL_LIMIT: Final = 40_000
TICK: Final = 0.25
SET_PARENT_DEATH_SIGNAL: Final = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Finished:
    """`stopped` says why the process was killed: "" when it ended by itself, else "timeout" or "cancelled"."""

    exit_code: int
    output: str
    stopped: str = ""


def run(argv: Sequence[str], job: Job) -> Finished:
    """Run `argv` in the job's directory until it ends, is cancelled or runs out of time; leaves no process behind."""
    process = subprocess.Popen(
        argv,
        cwd=job.directory,
        env=environment(job),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=job.inherited,
        preexec_fn=_die_with_parent if _libc else None,
    )
    stream = process.stdout
    if stream is None:
        raise AssertionError("stdout was asked for as a pipe")
    output = _Output()
    try:
        stopped = _follow(process, stream, output, job)
    finally:
        _end_group(process)
        stream.close()
    return Finished(process.returncode, output.text(), stopped)


def environment(job: Job) -> dict[str, str]:
    """The whole environment of a tool: nothing of the orchestrator's own settings or secrets is in it."""
    return {
        "PATH": os.defpath,
        "HOME": str(job.state),
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "STEP_STATE": str(job.state),
        **({"ANSWER": job.answer} if job.answer else {}),
        **job.environment,
    }


class _Output:
    """Keeps the first and the last bytes of what a tool prints."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = HEAD_LIMIT - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if (over := len(self._tail) - TAIL_LIMIT) > 0:
            self._dropped += over
            del self._tail[:over]

    def text(self) -> str:
        note = f"\n… {self._dropped} bytes left out …\n".encode() if self._dropped else b""
        # A NUL cannot be stored in a PostgreSQL text column.
        return (bytes(self._head) + note + bytes(self._tail)).decode("utf-8", "replace").replace("\0", "\ufffd")


def _follow(process: "subprocess.Popen[bytes]", stream: IO[bytes], output: _Output, job: Job) -> str:
    """Read until the process ends; returns why it was stopped, or ""."""
    os.set_blocking(stream.fileno(), False)
    deadline = time.monotonic() + job.timeout
    while True:
        select.select([stream], [], [], TICK)
        ended = process.poll() is not None
        closed = _drain(stream, output)
        if ended:
            return ""
        if closed:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TICK)
        if job.cancelled():
            return "cancelled"
        if time.monotonic() > deadline:
            return "timeout"


def _drain(stream: IO[bytes], output: _Output) -> bool:
    """Take what is there; true when the tool closed its output."""
    while (data := stream.read(65_536)) is not None:
        if not data:
            return True
        output.add(data)
    return False


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what the tool started and left running, then reap it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
