"""The live log of a run: what it printed last, while it runs, in a file that stays small.

Whoever shows it reads it here, by `log_end`, and nowhere else.
"""

import re
from pathlib import Path
from typing import Final

#: Bytes of the end that are kept and shown; a file may grow to twice as much before it is cut.
KEPT: Final = 64 * 1024
#: Files in the folder; the oldest go first.
FILES: Final = 200
#: What moves a terminal's cursor or colours its text, and characters that print nothing.
CONTROLS: Final = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]"
)


class LiveLog:
    """Written by the one process that does the run; each begins afresh."""

    def __init__(self, folder: Path, attempt: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(folder)
        self.path = folder / f"{attempt}.log"
        self.path.write_bytes(b"")
        self._size = 0

    def add(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self._size += len(data)
        if self._size > 2 * KEPT:
            end = self.path.read_bytes()[-KEPT:]
            self.path.write_bytes(end)
            self._size = len(end)


def log_end(folder: Path, attempt: int) -> str:
    """What the run of an attempt printed last; empty where it ran elsewhere. Of a coding agent's run too,
    whose file has the step's key in front (`client/doing.py`)."""
    for path in (folder / f"{attempt}.log", *folder.glob(f"*-{attempt}.log")):
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - KEPT))
                text = file.read(KEPT).decode("utf-8", "replace")
        except OSError:
            continue
        return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return ""


def _make_room(folder: Path) -> None:
    files = [path for path in folder.iterdir() if path.suffix in (".log", ".md")]
    if len(files) < FILES:
        return
    by_age = sorted(files, key=_changed)
    for path in by_age[: len(files) - FILES + 1]:
        path.unlink(missing_ok=True)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
