"""Printed: what an agent prints, written to its log without secrets (FR-009).

Only whole lines are written, so that no half of a secret is; a key that stands between a BEGIN and an END
line is held until its end.
"""

import os
import re
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

Mask = Callable[[str], str]

#: What else masks what is printed; a server that starts the worker adds what it masks with itself.
MASKS: Final[list[Mask]] = []
#: A token of an orchestrator, whoever holds it.
TOKEN: Final = re.compile(r"pteo_[A-Za-z0-9_-]{20,}")
#: Seconds between two looks whether the run has ended, and for the rest of what it printed after that.
LOOK, REST = 0.2, 5.0
#: Bytes of one line, or of one key, that are held; of a longer one the last `KEPT` are held on.
MOST_HELD, KEPT = 1_000_000, 10_000


class Printed(threading.Thread):
    """Reads a stream until its end, or until `finish`: somebody else may hold it open."""

    def __init__(self, source: IO[bytes], log: Path, mask: Mask) -> None:
        super().__init__(daemon=True)
        self.source, self.mask, self.ended = source, mask, threading.Event()
        self.log = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0)

    def run(self) -> None:
        held = b""
        with self.log:
            while data := self._next():
                ready, held = whole_lines(held + data)
                self._write(ready)
            self._write(held)

    def finish(self) -> None:
        """The run has ended: nothing more is waited for."""
        self.ended.set()
        self.join(REST)
        if not self.is_alive():
            self.source.close()

    def _next(self) -> bytes:
        while not select.select([self.source], [], [], LOOK)[0]:
            if self.ended.is_set():
                return b""
        return os.read(self.source.fileno(), 65_536)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        text = TOKEN.sub("[masked token]", self.mask(data.decode("utf-8", "replace")))
        for mask in MASKS:
            text = mask(text)
        self.log.write(text.encode("utf-8", "replace"))


def whole_lines(data: bytes) -> tuple[bytes, bytes]:
    """What may be written of it, and what is held."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    begun = data.rfind(b"-----BEGIN", 0, end)
    if begun >= 0 and b"-----END" not in data[begun:end]:
        end = begun
    if len(data) - end > MOST_HELD:
        end = len(data) - KEPT
    return data[:end], data[end:]
