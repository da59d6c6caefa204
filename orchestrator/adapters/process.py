"""Runs one tool shut in: clean environment, its own files, limits, capped output, no shell, nothing left
behind.

What a tool may do is the sandbox's business (`orchestrator/sandbox`); here is what becomes of its output and
its time. On Linux the kernel ends the tool when its executor dies; elsewhere the worktree's lock, which the
tool inherits, keeps a second run out of the worktree until the first has ended.
"""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from django.conf import settings

from orchestrator.adapters.tool import Job
from orchestrator.core.errors import ToolsUnprotected
from orchestrator.sandbox import layers, owner, start
from orchestrator.sandbox.policy import Layers, SandboxPolicy, ToolLimits
from orchestrator.sandbox.system import readable

#: Bytes of output kept: the beginning and the end; what lies between is counted, not kept.
HEAD_LIMIT: Final = 40_000
TAIL_LIMIT: Final = 40_000
TICK: Final = 0.25


@dataclass(frozen=True, slots=True)
class Finished:
    """`stopped` says why the process was killed: "" when it ended by itself, else "timeout" or
    "cancelled".
    """

    exit_code: int
    output: str
    stopped: str = ""


def run(argv: Sequence[str], job: Job) -> Finished:
    """Run `argv` in the job's directory until it ends, is cancelled or runs out of time; leaves no process
    behind.

    Raises `ToolsUnprotected` when the machine cannot shut it in and the operator has not allowed that.
    """
    if settings.TOOLS_SANDBOX == "off":
        with _unprotected(argv, job) as process:
            return _finished(process, job)
    used = layers.sufficient()
    with start.scratch() as folder:
        policy = policy_of(job, folder, used)
        if used.user:
            owner.give((*policy.write, policy.temporary), used.user, but=policy.fixed)
        with start.started(argv, policy, environment(job), job.inherited) as started:
            finished = _finished(started.process, job)
            if problem := started.problem():
                raise ToolsUnprotected(f"The tool could not be shut in: {problem}.")
            return finished


def policy_of(job: Job, scratch: str, used: Layers) -> SandboxPolicy:
    """The job's own files and nothing else of ours.

    Git's link is the server's and is not the tool's to change.
    """
    private = [settings.DATA_DIR, settings.REPOSITORIES_DIR, settings.WORKTREES_DIR, settings.WORKSPACE_DIR]
    directory, state = os.path.realpath(job.directory), os.path.realpath(job.state)
    return SandboxPolicy(
        read=readable(network=job.network, private=private),
        write=(directory, state),
        fixed=(f"{directory}/.git",),
        scratch=scratch,
        directory=directory,
        network=job.network,
        limits=ToolLimits(**settings.TOOLS_LIMITS),
        layers=used,
    )


@contextmanager
def _unprotected(argv: Sequence[str], job: Job) -> Iterator["subprocess.Popen[bytes]"]:
    """As the server's user, with all that this user may do; the operator has said so."""
    process = subprocess.Popen(
        argv,
        cwd=job.directory,
        env=environment(job),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=job.inherited,
        preexec_fn=start.die_with_starter,
    )
    try:
        yield process
    finally:
        _end_group(process)
        if process.stdout is not None:
            process.stdout.close()


def _finished(process: "subprocess.Popen[bytes]", job: Job) -> Finished:
    if process.stdout is None:
        raise AssertionError("stdout was asked for as a pipe")
    output = _Output()
    stopped = _follow(process, process.stdout, output, job)
    if stopped:
        start.end(process)
        _drain(process.stdout, output, job)
    return Finished(process.returncode, output.text(), stopped)


def environment(job: Job) -> dict[str, str]:
    """The whole environment of a tool: nothing of the orchestrator's own settings or secrets is in it."""
    return {
        "PATH": os.defpath,
        "HOME": str(job.state),
        "TMPDIR": tempfile.gettempdir(),
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
        return (
            (bytes(self._head) + note + bytes(self._tail)).decode("utf-8", "replace").replace("\0", "\ufffd")
        )


def _follow(process: "subprocess.Popen[bytes]", stream: IO[bytes], output: _Output, job: Job) -> str:
    """Read until the process ends; returns why it was stopped, or ""."""
    os.set_blocking(stream.fileno(), False)
    deadline = time.monotonic() + job.timeout
    while True:
        select.select([stream], [], [], TICK)
        ended = process.poll() is not None
        closed = _drain(stream, output, job)
        if ended:
            return ""
        if closed:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TICK)
        if job.cancelled():
            return "cancelled"
        if time.monotonic() > deadline:
            return "timeout"


def _drain(stream: IO[bytes], output: _Output, job: Job) -> bool:
    """Take what is there; true when the tool closed its output."""
    while (data := stream.read(65_536)) is not None:
        if not data:
            return True
        output.add(data)
        job.printed(data)
    return False


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what the tool started and left running, then reap it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
