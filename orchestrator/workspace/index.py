"""Git's index of the workspace: which commit it stands at. It is read anew only after somebody else touched
it.
"""

import os
from contextlib import suppress
from pathlib import Path

#: Bytes of the checksum that git ends its index with.
CHECKSUM = 20


class Index:
    """Remembers, beside git's index, the commit whose files the index lists and the index's own checksum.

    Losing or damaging the memory costs one reading of the tree: a checksum that differs means that the index
    is not the one that was left there.
    """

    def __init__(self, root: Path) -> None:
        self._index = root / ".git" / "index"
        self._memory = root / ".git" / "orchestrator-index"

    def stands_at(self, commit: str) -> bool:
        """Whether the index is as `now_at` left it for this commit."""
        return bool(commit) and self.stood_at() == commit

    def stood_at(self) -> str:
        """The commit for which `now_at` left the index as it is; "" where somebody else touched it since."""
        try:
            commit, _, checksum = self._memory.read_text().partition(" ")
            return commit if checksum == self._checksum() else ""
        except (OSError, ValueError):
            return ""

    def now_at(self, commit: str) -> None:
        """Remember that the index lists the files of this commit. What cannot be written matches nothing
        later.
        """
        with suppress(OSError):
            self._memory.write_text(f"{commit} {self._checksum()}")

    def _checksum(self) -> str:
        with self._index.open("rb") as file:
            file.seek(-CHECKSUM, os.SEEK_END)
            return file.read().hex()
