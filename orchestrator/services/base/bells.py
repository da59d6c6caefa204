"""Bells: whoever waits for something is woken when it is committed, and looks at nothing meanwhile.

On PostgreSQL triggers notify and a waiter listens (`models/base/bells.py`). SQLite stands on one machine, so
there a waiter has a socket in `DATA_DIR/bells`, and whoever has committed sends a byte to each of them. A
bell says nothing and may get lost or ring for nothing: who hears it looks at the rows, and looks now and then
without it.
"""

import os
import secrets
import select
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections, transaction

from orchestrator.models.base.bells import Bell

#: Seconds that a waiter without a working bell lets pass between two looks.
WITHOUT: Final = 0.2


class Listener(Protocol):
    """Hears one bell, from its making on; used by the thread that made it."""

    def wait(self, seconds: float) -> bool:
        """Until the bell rings, or rang since the last call; false when so many seconds passed first."""

    def close(self) -> None: ...


def listen(bell: Bell) -> Listener:
    """A listener of this process; where none can be made, one that lets a moment pass instead."""
    try:
        return _OnPostgres(bell) if connection.vendor == "postgresql" else _OnSocket(bell)
    except (Error, OSError):
        return _Deaf()


def ring_after_commit(bell: Bell) -> None:
    """Ring when the current transaction has committed. PostgreSQL's triggers do it by themselves."""
    if connection.vendor == "sqlite":
        transaction.on_commit(partial(ring, bell), robust=True)


def ring(bell: Bell) -> None:
    """Send a byte to each socket that listens; one whose process is gone is removed."""
    folder = _folder()
    try:
        names = [name for name in os.listdir(folder) if name.startswith(f"{bell}-")]
    except OSError:
        return
    if not names:
        return
    with _opened(folder) as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for name in names:
            try:
                sender.sendto(b"!", place.address(name))
            except ConnectionRefusedError:
                with suppress(OSError):
                    (folder / name).unlink()
            except OSError:  # its box is full: it has been rung for already
                continue


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "bells"


class _opened:  # a context manager
    """A folder by its descriptor: the address of a socket may be 107 characters long, a path any number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> "_opened":
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def address(self, name: str) -> str:
        short = f"/proc/self/fd/{self._descriptor}"
        return f"{short}/{name}" if os.path.isdir(short) else str(self._folder / name)


class _OnSocket:
    def __init__(self, bell: Bell) -> None:
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{bell}-{os.getpid()}-{secrets.token_hex(4)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with _opened(folder) as place:
            self._socket.bind(place.address(self._path.name))

    def wait(self, seconds: float) -> bool:
        rung = bool(select.select([self._socket], [], [], max(seconds, 0))[0])
        with suppress(BlockingIOError):
            while rung and self._socket.recv(16):
                pass
        return rung

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)


class _OnPostgres:
    def __init__(self, bell: Bell) -> None:
        self._bell, self._connection = bell, connections.create_connection(DEFAULT_DB_ALIAS)
        self._begin()

    def _begin(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(f"LISTEN {self._bell.channel}")

    def wait(self, seconds: float) -> bool:
        """A server that went away counts as a ring: what was notified meanwhile is lost."""
        try:
            if self._connection.connection is None:
                self._begin()
            with self._connection.wrap_database_errors:
                heard = self._connection.connection.notifies(timeout=max(seconds, 0), stop_after=1)
                return any(True for _ in heard)
        except Error:
            with suppress(Error):
                self._connection.close()
            self._connection.connection = None
            time.sleep(min(seconds, WITHOUT))
            return True

    def close(self) -> None:
        self._connection.close()


class _Deaf:
    def wait(self, seconds: float) -> bool:
        time.sleep(min(seconds, WITHOUT))
        return True

    def close(self) -> None:
        pass
