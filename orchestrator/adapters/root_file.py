"""One file at the root of a plan's repository, read and written by git's own objects alone (BX-7)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.adapters.repository import git

#: Bytes of a file that is read; a larger one is nobody's notes.
LARGEST: Final = 1_000_000
_PLAIN: Final = frozenset({"100644", "100755"})
_NEW: Final = "100644"


class NotPlain(ValueError):
    """What stands under the name is no plain text file: a link, a folder, too large, or no UTF-8."""


@dataclass(frozen=True, slots=True)
class RootFile:
    """`name` in the top folder of the commits of `repository`, a folder with a `.git`."""

    repository: Path
    name: str

    def text(self, commit: str) -> str:
        """What the commit holds; empty when it has no such file. Raises NotPlain, RepositoryFailed."""
        mode, kind, blob = self._entry(commit)
        if not blob:
            return ""
        if kind != "blob" or mode not in _PLAIN:
            raise NotPlain(f"{self.name} is no plain file.")
        if int(git(self.repository, "cat-file", "-s", blob)) > LARGEST:
            raise NotPlain(f"{self.name} has more than {LARGEST} bytes.")
        text = git(self.repository, "cat-file", "blob", blob)
        if any("\udc80" <= character <= "\udcff" for character in text):
            raise NotPlain(f"{self.name} is no UTF-8.")
        return text

    def put(self, branch: str, text: str, *, parent: str, old: str, message: str) -> str:
        """Commit the text on top of `parent` and set the branch, which stood at `old` (empty: it is new), to
        the commit. Raises RepositoryFailed, also when somebody moved the branch meanwhile.
        """
        mode, _, _ = self._entry(parent)
        blob = git(self.repository, "hash-object", "-w", "--no-filters", "--stdin", send=text).strip()
        listed = git(self.repository, "ls-tree", "-z", parent)
        others = [entry for entry in listed.split("\0") if entry and entry.partition("\t")[2] != self.name]
        entries = [*others, f"{mode if mode in _PLAIN else _NEW} blob {blob}\t{self.name}"]
        tree = git(self.repository, "mktree", "-z", send="".join(f"{entry}\0" for entry in entries)).strip()
        made = git(self.repository, "commit-tree", tree, "-p", parent, "-m", message).strip()
        git(self.repository, "update-ref", f"refs/heads/{branch}", made, old or "0" * len(made))
        return made

    def parent_of(self, commit: str) -> str:
        """The first parent of a known commit; empty when it has none."""
        listed = git(self.repository, "rev-list", "--parents", "--max-count=1", commit).split()
        return listed[1] if len(listed) > 1 else ""

    def _entry(self, commit: str) -> tuple[str, str, str]:
        """Mode, kind and id of what stands under the name; empty texts when nothing does."""
        listed = git(self.repository, "ls-tree", "-z", commit, "--", self.name)
        about, _, _ = listed.partition("\t")
        mode, kind, blob = about.split(" ") if about else ("", "", "")
        return mode, kind, blob


def is_checked_out(repository: Path, branch: str) -> bool:
    """Whether a working tree of the repository stands on the branch, and would be left behind by a move."""
    listed = git(repository, "worktree", "list", "--porcelain")
    return f"branch refs/heads/{branch}" in listed.split("\n")
