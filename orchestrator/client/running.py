"""Running: an agent's process with its whole group, a time limit, and a log of which not all is kept."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from orchestrator.client.offspring import adopt_orphans, descendants, end_all_but
from orchestrator.client.printed import Mask, Printed

#: Seconds between two looks at a running agent, and that it has to end by itself when it is told to.
PAUSE, GRACE = 0.2, 10
#: Bytes of what it printed that are read again at the end; of more the first and the last half.
MOST_READ: Final = 400_000


@dataclass(frozen=True)
class Ran:
    """How a run ended: `code` is its exit code; `stopped` says why it was ended from outside, empty when it
    ended by itself. `output` is what it printed."""

    code: int
    stopped: str
    output: str


def run(
    words: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    prompt: str,
    log: Path,
    seconds: float,
    stop: Callable[[], str],
    mask: Mask = lambda text: text,
) -> Ran:
    """Start it in `folder` with `prompt` on its standard input, and wait. `stop` is asked again and again and
    says why the run has to end, `mask` what its log has of what it prints. Everything that it started ends
    with it. OSError when it cannot be started."""
    adopt_orphans()
    known = descendants()
    process = subprocess.Popen(
        list(words),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    printed = Printed(_stream(process.stdout), log, mask)
    printed.start()
    try:
        _give(process, prompt)
        stopped = _wait(process, time.monotonic() + seconds, seconds, stop)
    finally:
        _end(process)
        end_all_but(known)
        printed.finish()
    return Ran(process.returncode, stopped, read(log))


def read(log: Path) -> str:
    """What a log has; of a long one the beginning and the end."""
    content = log.read_bytes()
    if len(content) > MOST_READ:
        left = len(content) - MOST_READ
        half = MOST_READ // 2
        content = b"%b\n[%d bytes left out]\n%b" % (content[:half], left, content[-half:])
    return content.decode("utf-8", "replace").replace("\x00", "")


def lines_of(log: Path) -> Iterator[str]:
    """All that it printed, one line after another."""
    with log.open(encoding="utf-8", errors="replace") as printed:
        yield from printed


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("its output was asked for as a pipe")
    return stream


def _give(process: "subprocess.Popen[bytes]", prompt: str) -> None:
    given = process.stdin
    if given is not None:
        with contextlib.suppress(BrokenPipeError):  # it does not read its input
            given.write(prompt.encode())
        with contextlib.suppress(BrokenPipeError):
            given.close()


def _wait(process: "subprocess.Popen[bytes]", until: float, seconds: float, stop: Callable[[], str]) -> str:
    while process.poll() is None:
        if why := stop():
            return why
        if time.monotonic() >= until:
            return f"It did not end within {seconds:.0f} seconds."
        time.sleep(PAUSE)
    return ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the whole group: what the agent started may outlive it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
        if number == signal.SIGTERM:
            time.sleep(PAUSE)
    process.wait()
