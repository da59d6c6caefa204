"""Starts `launch` for a program: the side of the sandbox that the orchestrator's own processes see."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from orchestrator.sandbox import kernel
from orchestrator.sandbox.policy import Layers, SandboxPolicy, ToolLimits, temporary_in
from orchestrator.sandbox.system import readable

#: Where the package stands; the interpreter that starts `launch` looks nowhere else but in its own library.
CHECKOUT: Final = Path(__file__).resolve().parents[2]
#: Seconds in which a tool's watcher ends everything after it was asked to.
WITHIN: Final = 5.0
CODE: Final = (
    "import sys; sys.path.append(sys.argv[1]); from orchestrator.sandbox.launch import main; "
    "main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])"
)


@dataclass(slots=True)
class Started:
    """A program that runs shut in.

    Its output is a pipe; `problem` says why it could not be started, once it ended.
    """

    process: "subprocess.Popen[bytes]"
    output: IO[bytes]
    _status: int

    def problem(self) -> str:
        return os.read(self._status, 1000).decode("utf-8", "replace")


@contextmanager
def scratch() -> Iterator[str]:
    """A folder for one run, gone afterwards whatever the tool left in it."""
    with tempfile.TemporaryDirectory(prefix="tool-", ignore_cleanup_errors=True) as folder:
        path = os.path.realpath(folder)
        os.mkdir(temporary_in(path), 0o700)
        yield path


@contextmanager
def started(
    argv: Sequence[str], policy: SandboxPolicy, environment: Mapping[str, str], keep: Sequence[int] = ()
) -> Iterator[Started]:
    """Run `argv` as the policy says; whatever is left of it is gone at the end of the block.

    `keep` are descriptors that whoever watches over the tool holds open, out of the tool's reach.
    """
    reading, writing = os.pipe()
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        CODE,
        str(CHECKOUT),
        policy.text(),
        str(writing),
        str(os.getpid()),
    ]
    try:
        process = subprocess.Popen(
            [*command, *argv],
            cwd="/",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[writing, *keep],
        )
    finally:
        os.close(writing)
    if process.stdout is None:
        raise AssertionError("stdout was asked for as a pipe")
    try:
        yield Started(process, process.stdout, reading)
    finally:
        end(process)
        process.stdout.close()
        os.close(reading)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the one who watches to end everything; it does so at once. Kill it if it does not."""
    process.terminate()
    try:
        process.wait(WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def die_with_starter() -> None:
    """For a program that runs without protection: at least it does not outlive who started it."""
    if kernel.LINUX:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def tried(argv: Sequence[str], layers: Layers) -> bool:
    """Whether a program that does nothing runs with these layers."""
    with scratch() as folder:
        policy = SandboxPolicy(
            read=readable(network=False, private=()),
            write=(),
            scratch=folder,
            directory="/",
            limits=ToolLimits(),
            layers=layers,
        )
        with started(argv, policy, {}) as run:
            run.output.read()
            return run.process.wait() == 0
