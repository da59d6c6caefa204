"""Every object that git stores is read again now and then, and compared with its own name (F21).

A disk may change a byte that nobody asks for until it is needed. So each sweep reads a part of the
repository, goes on there the next time, and begins again at the end: loose objects by their 256 folders, then
packs, each with its index.
"""

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.workspace.files import disk_errors
from orchestrator.workspace.git import GitFailed
from orchestrator.workspace.repository import Workspace

#: Bytes on disk that one run reads; what a run begins it ends, so a larger pack is read in one go.
PORTION: Final = 64 * 1024 * 1024
#: Most bytes that are held in memory at once.
CHUNK: Final = 1024 * 1024
CHECKSUM: Final = 20
LOOSE: Final = tuple(f"{number:02x}" for number in range(256))


@dataclass(frozen=True, slots=True)
class Damage:
    """A loose object, or a pack, whose bytes are not the ones that its name or checksum says."""

    path: Path
    packed: bool

    @property
    def name(self) -> str:
        return self.path.name if self.packed else f"{self.path.parent.name}{self.path.name}"


class Scrub:
    """Reads the objects of a workspace. How far it came stands beside git's own files; losing that begins
    anew.
    """

    def __init__(self, space: Workspace, portion: int = PORTION) -> None:
        self.space, self.portion = space, portion
        self.objects = space.root / ".git" / "objects"
        self.aside = space.root / ".git" / "orchestrator-damaged"
        self._begun = self.aside / "not-mended-yet"
        self._memory = space.root / ".git" / "orchestrator-scrubbed"

    def some(self) -> list[Damage]:
        """The next portion."""
        units = self._units()
        last = self._last()
        start = next((place for place, unit in enumerate(units) if unit > last), 0)
        found: list[Damage] = []
        read = 0
        for unit in units[start:] + units[:start]:
            damage, size = self._look_at(unit)
            found += damage
            read, last = read + size, unit
            if read >= self.portion:
                break
        with suppress(OSError):
            self._memory.write_text(last)
        return found

    def all(self) -> list[Damage]:
        """Everything: when git has already stumbled over something."""
        return [damage for unit in self._units() for damage in self._look_at(unit)[0]]

    @property
    def unfinished(self) -> bool:
        """Whether something was set aside and whoever did it was killed before it was mended."""
        return self._begun.exists()

    def mended(self) -> None:
        """What was set aside is no longer missed."""
        self._begun.unlink(missing_ok=True)

    def set_aside(self, damages: Iterable[Damage]) -> None:
        """Take what is damaged out of git's way, as evidence, and rescue what a damaged pack still gives.
        Needs `locked()`: git writes no object anew whose file is there."""
        with disk_errors(self.aside.name):
            self.aside.mkdir(exist_ok=True)
            self._begun.touch()
            self._drop_what_git_can_tell_anew()
        for damage in damages:
            with disk_errors(damage.path.name):
                if damage.packed:
                    self._set_pack_aside(damage.path)
                else:
                    os.replace(damage.path, self.aside / damage.name)

    def _drop_what_git_can_tell_anew(self) -> None:
        """Indexes of commits and packs, which an operator's own `git gc` leaves: they name what is missing
        now.
        """
        info, packs = self.objects / "info", self.objects / "pack"
        for path in [info / "commit-graph", *info.glob("commit-graphs/*"), *packs.glob("multi-pack-index*")]:
            path.unlink(missing_ok=True)

    def _set_pack_aside(self, pack: Path) -> None:
        for part in pack.parent.glob(f"{pack.stem}.*"):
            os.replace(part, self.aside / part.name)
        with suppress(GitFailed):  # it says so when some objects could not be read
            self.space.git.run("unpack-objects", "-r", "-q", send=(self.aside / pack.name).read_bytes())

    def _units(self) -> list[str]:
        packs = sorted(path.name for path in (self.objects / "pack").glob("*.pack"))
        return [*(folder for folder in LOOSE if (self.objects / folder).is_dir()), *packs]

    def _last(self) -> str:
        try:
            return self._memory.read_text()
        except (OSError, ValueError):
            return ""

    def _look_at(self, unit: str) -> tuple[list[Damage], int]:
        """What is damaged in a folder of loose objects, or in a pack, and how many bytes were read."""
        if unit.endswith(".pack"):
            pack = self.objects / "pack" / unit
            sound = _ends_with_checksum(pack) and _ends_with_checksum(pack.with_suffix(".idx"))
            return ([] if sound else [Damage(pack, True)]), _size(pack)
        damaged, read = [], 0
        paths: list[Path] = []
        with suppress(FileNotFoundError):  # packed meanwhile
            paths = sorted((self.objects / unit).iterdir())
        for path in paths:
            if len(path.name) == 38 and not _is_itself(path, unit + path.name):
                damaged.append(Damage(path, False))
            read += _size(path)
        return damaged, read


def _is_itself(path: Path, name: str) -> bool:
    """Whether a loose object unpacks to the bytes that its name is the hash of. One that is gone
    was packed.
    """
    found, packer = hashlib.sha1(usedforsecurity=False), zlib.decompressobj()
    try:
        for chunk in _chunks(path):
            rest = chunk
            while rest and not packer.eof:
                found.update(packer.decompress(rest, CHUNK))
                rest = packer.unconsumed_tail
        found.update(packer.flush())
    except FileNotFoundError:
        return True
    except (OSError, zlib.error):
        return False
    return packer.eof and found.hexdigest() == name


def _ends_with_checksum(path: Path) -> bool:
    """Whether the last bytes of a pack or its index are the hash of those before."""
    found = hashlib.sha1(usedforsecurity=False)
    try:
        left = path.stat().st_size - CHECKSUM
        with path.open("rb") as file:
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                found.update(chunk)
                left -= len(chunk)
            return found.digest() == file.read()
    except OSError:
        return False


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
