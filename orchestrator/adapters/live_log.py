"""The live log of a run: what it printed last, while it runs, in a file that stays small.

Whoever shows it reads it here, by `log_end`, and nowhere else.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    """Written by the one process that does the run; each begins afresh. Whole lines are written, masked by
    `mask`, and a key between its BEGIN and END lines in one piece, so that no half of a secret is."""

    def __init__(self, folder: Path, attempt: int, mask: Callable[[str], str] = str) -> None:
        self.path, self.mask, self._size, self._held = folder / f"{attempt}.log", mask, 0, b""
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_room(folder)
            self.path.write_bytes(b"")

    def add(self, data: bytes) -> None:
        """A disk without room keeps nobody from working: whoever looks then sees less."""
        whole, self._held = _whole_lines(self._held + data)
        if not whole:
            return
        data = self.mask(whole.decode("utf-8", "replace")).encode("utf-8", "replace")
        with suppress(OSError):
            with self.path.open("ab") as file:
                file.write(data)
            self._size += len(data)
            if self._size > 2 * KEPT:
                end = self.path.read_bytes()[-KEPT:]
                self.path.write_bytes(end)
                self._size = len(end)


def _whole_lines(data: bytes) -> tuple[bytes, bytes]:
    """What may be written of it, and what is held."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    begun = data.rfind(b"-----BEGIN", 0, end)
    if begun >= 0 and b"-----END" not in data[begun:end]:
        end = begun
    if len(data) - end > 2 * KEPT:
        end = len(data) - KEPT // 8
    return data[:end], data[end:]


def log_end(folder: Path, attempt: int) -> str:
    """What the run of an attempt printed last, twice what is shown: whoever shows it masks it and then takes
    the last `KEPT` of it, so that no half of a secret is left. Empty where it ran elsewhere."""
    for path in _logs(folder, attempt):
        try:
            text = path.read_bytes()[-2 * KEPT :].decode("utf-8", "replace")
        except OSError:
            continue
        return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return ""


def has_log(folder: Path, attempt: int) -> bool:
    """Whether a run of it on this machine has printed something."""
    for path in _logs(folder, attempt):
        with suppress(OSError):
            if path.stat().st_size:
                return True
    return False


def _logs(folder: Path, attempt: int) -> Iterator[Path]:
    """Of a tool's run, and of a coding agent's, which has the step's key in front (`client/doing.py`)."""
    yield folder / f"{attempt}.log"
    yield from folder.glob(f"*-{attempt}.log")


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
