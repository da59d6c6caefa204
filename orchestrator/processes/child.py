"""One supervised process group: started, watched, restarted after a back-off, stopped with all it started."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from orchestrator.processes.forked import ForkedProcess

#: Seconds before a restart: the first comes at once, each further death in quick succession waits longer.
BACKOFF: Final = (0.0, 1.0, 2.0, 5.0, 10.0)
#: A process that lived this many seconds starts again without delay.
STEADY: Final = 30.0
LOG_LIMIT: Final = 5_000_000


class Undertaker:
    """The process that ends what is left when the supervisor dies (see `undertaker.py`)."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("undertaker.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, start_new_session=True
        )

    def note(self, sign: str, group: int) -> None:
        pipe = self.process.stdin
        if pipe is None:
            raise AssertionError("stdin was asked for as a pipe")
        pipe.write(f"{sign}{group}\n".encode())
        pipe.flush()

    def dismiss(self) -> None:
        """Nothing is left to do: its input ends, so it leaves."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process.wait()


class Child:
    """A named process in a session of its own; its id is also the id of its group."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        folder: Path,
        undertaker: Undertaker,
        environment: Mapping[str, str] | None = None,
        run: Callable[[], None] | None = None,
    ) -> None:
        self.name, self.argv, self.undertaker, self.environment = name, list(argv), undertaker, environment
        self.log, self.pid_file = folder / "logs" / f"{name}.log", folder / "run" / f"{name}.pid"
        #: What a copy of this process does, instead of another program that is started.
        self.run = run
        self.process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self.started = 0.0
        self.next_start = 0.0
        self.deaths = 0

    @property
    def running(self) -> bool:
        return self.process is not None

    def start(self, now: float) -> None:
        with _log_of(self.log) as log:
            self.process = self._begin(log)
        self.undertaker.note("+", self.process.pid)
        self.started = now
        _write(self.pid_file, str(self.process.pid))

    def _begin(self, log: IO[bytes]) -> subprocess.Popen[bytes] | ForkedProcess:
        if self.run is not None:
            return ForkedProcess(self.name, self.run, log)
        return subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=self.environment,
        )

    def ended(self, now: float) -> int | None:
        """The exit code if the process has just been found dead.

        Its whole group is gone then, and a restart due.
        """
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self._bury()
        self.deaths = 1 if now - self.started > STEADY else self.deaths + 1
        self.next_start = now + BACKOFF[min(self.deaths, len(BACKOFF)) - 1]
        return code

    def last_word(self) -> str:
        """The last line that it printed, and where the rest stands."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} ({self.log})"

    def kill(self) -> None:
        """End the whole group at once; `ended` reports it next."""
        self._signal_group(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask the leader only: it stops its own children in order."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def finish(self, timeout: float) -> None:
        """Wait for the leader, then end whatever of the group is left."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(timeout, 0.01))
        self._bury()

    def _bury(self) -> None:
        if self.process is None:
            return
        self._signal_group(signal.SIGKILL)
        self.process.wait()
        self.undertaker.note("-", self.process.pid)
        self.pid_file.unlink(missing_ok=True)
        self.process = None

    def _signal_group(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def _log_of(path: Path) -> IO[bytes]:
    """The log, appended to; a large one is put aside first, one old one is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
