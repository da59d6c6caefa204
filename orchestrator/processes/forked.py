"""Parts of `serve` that are forked from the supervisor: what they all load is loaded once, and its memory is
shared until one of them changes it. So an installation takes two thirds of the memory, and is there sooner.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import IO, Final

from django.core.management import CommandError, execute_from_command_line
from django.db import DatabaseError, connections
from django.urls import get_resolver

#: Whether this system lets a process that has loaded much go on in a copy of itself.
POSSIBLE: Final = sys.platform == "linux"
#: What the parts load when they begin.
LOADED: Final = (
    "django_q.cluster",
    "orchestrator.management.commands.run_executor",
    "orchestrator.processes.tasks",
    "orchestrator.processes.web_server",
    "orchestrator.wsgi",
)
#: Seconds between two looks whether one has ended that is waited for.
PAUSE: Final = 0.01
#: Gives a process the name that `ps` and `top` show.
_SET_NAME: Final = 15


def load() -> None:
    """Load what the parts need. What is there then stays, so nothing goes through it to collect it: that
    would change, and so copy, all of it."""
    for name in LOADED:
        import_module(name)
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def in_a_copy(act: Callable[[], None]) -> None:
    """Do something in a copy of this process, which ends with all the memory that it took. What the act
    refuses is raised here; when it ends otherwise, its own traceback says why."""
    if not POSSIBLE:
        act()
        return
    connections.close_all()
    sys.stdout.flush()
    copies = multiprocessing.get_context("fork")
    answer, told = copies.Pipe(duplex=False)
    copy = copies.Process(target=_tell, args=(act, told))
    copy.start()
    told.close()
    try:
        refusal = answer.recv()
    except EOFError:
        refusal = CommandError("It ended before everything was prepared.")
    copy.join()
    if refusal is not None:
        raise refusal


def _tell(act: Callable[[], None], told: Connection) -> None:
    try:
        act()
    except (CommandError, DatabaseError) as refusal:
        told.send(refusal)
    else:
        told.send(None)


def command(*words: str) -> Callable[[], None]:
    """One of `manage.py`'s commands."""

    def run() -> None:
        sys.argv = [sys.argv[0], *words]
        execute_from_command_line(sys.argv)

    return run


def web(host: str, port: int) -> Callable[[], None]:
    """What `python -m orchestrator.processes.web_server` does."""

    def run() -> None:
        from orchestrator.processes.web_server import serve
        from orchestrator.services.work.waiting_room import ROOM
        from orchestrator.wsgi import application

        serve(application, host, port, ROOM.close)

    return run


class ForkedProcess:
    """A copy of this process that does one thing, in a session of its own; asked like a `Popen`."""

    def __init__(self, name: str, run: Callable[[], None], log: IO[bytes]) -> None:
        # A connection has one owner; this process makes another one when it needs it.
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = multiprocessing.get_context("fork").Process(
            target=_begin, args=(name, run, log.fileno()), name=name
        )
        stops = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # what comes now is for the one that begins
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
            time.sleep(PAUSE)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _begin(name: str, run: Callable[[], None], log: int) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(_SET_NAME, name.encode()[:15], 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _let_go_of_files(log)
    run()


def _let_go_of_files(log: int) -> None:
    """Whatever the supervisor had open, its lock above all, is open here no more. The numbers are kept, by
    nothing: what is closed later under one of them must not be something else by then."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for number in (int(word) for word in os.listdir("/proc/self/fd")):
        if number not in (1, 2, nothing):
            with suppress(OSError):
                os.fstat(number)
                os.dup2(nothing, number)
