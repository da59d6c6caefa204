"""Contents of many of git's objects from one process, each with a limit before it is read (FR-029)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace.files import FileDamage
from orchestrator.workspace.git import Git, given, text
from orchestrator.workspace.repository import blob_id

#: Bytes that are read at once, unless one object alone is larger.
AT_ONCE = 16 * 1024 * 1024
#: Names that are sent at once: fewer than would fill a pipe.
NAMES = 1000
#: Bytes around a content in git's answer, at most; seconds that it may take.
HEADER = 100
PATIENCE = 30.0
MISSING = "cannot be read: git no longer holds its bytes"
CHANGED = "cannot be read: its bytes are not those that git names"


class Blobs:
    """Reads the objects of a repository that are files."""

    def __init__(self, git: Git) -> None:
        self.git = git

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """Bytes of each object, without reading it; -1 for what is missing or no file."""
        asked = list(dict.fromkeys(names))
        if not asked:
            return {}
        told = self.git.run("cat-file", "--batch-check=%(objecttype) %(objectsize)", send=_lines(asked))
        answers = (text(line).split(" ") for line in told.rstrip(b"\n").split(b"\n"))
        return {
            name: int(words[1]) if words[0] == "blob" else -1
            for name, words in zip(asked, answers, strict=True)
        }

    def read(self, sizes: Mapping[str, int], most: int) -> Iterator[Mapping[str, bytes | FileDamage]]:
        """The contents of objects of at most `most` bytes each, in parts that fit into memory and in their
        order.

        First comes what cannot be had, with the reason in place of its content. Raises WorkspaceUnavailable
        when git cannot be asked.
        """
        yield {name: _refused(size, most) for name, size in sizes.items() if not 0 <= size <= most}
        for part in _parts({name: size for name, size in sizes.items() if 0 <= size <= most}):
            yield dict(self._contents(part))

    def _contents(self, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes | FileDamage]]:
        """Git ends at an object that is damaged: that one is told, and the others are asked for again."""
        left = list(sizes)
        while left:
            told = _Answers(self._batch(left, sum(sizes.values())))
            while left and (content := told.next()) is not None:
                name = left.pop(0)
                yield name, content if blob_id(content) == name else FileDamage(CHANGED)
            if left:
                yield left.pop(0), FileDamage(MISSING)

    def _batch(self, names: Sequence[str], size: int) -> bytes:
        """What git said, as far as it came."""
        most = size + HEADER * len(names)
        answer, whole = self.git.part(
            "cat-file", "--batch", send=_lines(names), most=most, seconds=PATIENCE, strict=False
        )
        if not whole:
            raise WorkspaceUnavailable("git cat-file came to no end in the workspace.", command="cat-file")
        return answer


class _Answers:
    """What `cat-file --batch` printed: a header, the content and a line feed for each object."""

    def __init__(self, told: bytes) -> None:
        self.told, self.at = told, 0

    def next(self) -> bytes | None:
        """The next content; None when there is none in full."""
        end = self.told.find(b"\n", self.at)
        words = self.told[self.at : end].split(b" ")
        if end < 0 or len(words) != 3 or words[1] != b"blob":
            return None
        start = end + 1
        stop = start + int(words[2])
        if len(self.told) <= stop:
            return None
        self.at = stop + 1
        return self.told[start:stop]


def _parts(sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    part: dict[str, int] = {}
    for name, size in sizes.items():
        if part and (len(part) == NAMES or sum(part.values()) + size > AT_ONCE):
            yield part
            part = {}
        part[name] = size
    if part:
        yield part


def _refused(size: int, most: int) -> FileDamage:
    return FileDamage(MISSING if size < 0 else f"is too large: {size} bytes, and {most} is the most")


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(given(f"{name}\n") for name in names)
