"""What the supervisor tells the service manager that started it (systemd's `sd_notify`), by a plain socket.

Nothing is told where nobody listens: `NOTIFY_SOCKET` is not set, or belongs to another process.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
WATCHDOG: Final = "WATCHDOG=1"
#: Only this process's word counts; its children are not to speak for it.
VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """`tell` sends a state; `alive` the sign of life that the manager asks for, at most twice as often as it
    does."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        asked = environment.get("WATCHDOG_PID", "") in ("", str(pid))
        micros = environment.get("WATCHDOG_USEC", "")
        self._every = int(micros) / 2_000_000 if asked and micros.isdecimal() else 0.0
        self._told = float("-inf")

    def tell(self, state: str, status: str = "") -> None:
        """A manager that is gone, or does not take it, holds nobody up."""
        if not self._address:
            return
        said = "\n".join([state, *([f"STATUS={status}"] if status else [])])
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
            made.setblocking(False)
            made.sendto(said.encode(), address)

    def alive(self, now: float) -> None:
        """`now` is a time that never goes back, in seconds."""
        if self._every and now - self._told >= self._every:
            self._told = now
            self.tell(WATCHDOG)


def from_environment() -> ServiceManager:
    """The one that started this process, whose children are told nothing of it."""
    found = ServiceManager(os.environ, os.getpid())
    for name in VARIABLES:
        os.environ.pop(name, None)
    return found
