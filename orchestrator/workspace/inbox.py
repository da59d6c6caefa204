"""What producers commit themselves: a branch of their own for each executor, `refs/inbox/<executor>` (FR-029).

Only read here, with suspicion: a branch may be rewritten, damaged, or hold anything. How far each has been looked at
stands in `refs/collected/<executor>`; losing that mark costs a second look and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.workspace.files import FileDamage
from orchestrator.workspace.git import GitFailed
from orchestrator.workspace.repository import Workspace, blob_id

INBOX = "refs/inbox/"
COLLECTED = "refs/collected/"
PLAIN_MODES = frozenset({"100644", "100755"})


@dataclass(frozen=True, slots=True)
class Branch:
    """A producer's branch: its newest commit ("" when the ref itself is damaged) and the one looked at last."""

    executor: str
    tip: str
    seen: str

    @property
    def name(self) -> str:
        return f"{INBOX}{self.executor}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a commit. `size` is in bytes."""

    path: str
    mode: str
    blob: str
    size: int

    @property
    def plain(self) -> bool:
        return self.mode in PLAIN_MODES


class Inbox:
    """The producers' branches of a workspace."""

    def __init__(self, space: Workspace) -> None:
        self.space, self.git = space, space.git

    def moved(self) -> Sequence[Branch]:
        """The branches that stand elsewhere than when they were looked at last, by name.

        Raises WorkspaceUnavailable.
        """
        if not (self.space.root / ".git" / "refs").is_dir():
            return []
        told = self.git.run("for-each-ref", "--format=%(objectname) %(refname)", INBOX, COLLECTED).decode(
            errors="backslashreplace"
        )
        refs = {name: commit for commit, name in (line.split(" ", 1) for line in told.splitlines())}
        tips = {name.removeprefix(INBOX): commit for name, commit in refs.items() if name.startswith(INBOX)}
        branches = [Branch(executor, tip, refs.get(f"{COLLECTED}{executor}", "")) for executor, tip in tips.items()]
        damaged = [Branch(executor, "", "") for executor in self._loose() - set(tips)]
        return sorted((b for b in [*branches, *damaged] if b.tip != b.seen or not b.tip), key=lambda b: b.executor)

    def _loose(self) -> set[str]:
        """Refs that stand as files; git leaves out those that it cannot read."""
        folder = self.space.root / ".git" / "refs" / "inbox"
        found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {str(path.relative_to(folder)) for path in found}

    def commits(self, branch: Branch) -> Sequence[tuple[str, str]]:
        """(commit, its first parent or "") not looked at yet, oldest first. Raises FileDamage when git cannot tell."""
        words = ["rev-list", "--first-parent", "--parents", "--reverse", branch.tip]
        try:
            self.git.run("rev-parse", "--verify", f"{branch.tip}^{{commit}}")
            try:
                told = self.git.line(*words, *([f"^{branch.seen}"] if branch.seen else []), "--")
            except GitFailed:
                told = self.git.line(*words, "--")
        except GitFailed as failure:
            raise FileDamage(f"cannot be read: {failure.said}") from failure
        return [(found[0], found[1] if len(found) > 1 else "") for found in map(str.split, told.splitlines())]

    def changes(self, commit: str, parent: str) -> Sequence[Entry]:
        """The files that a commit adds or changes, by path. Raises FileDamage."""
        try:
            if parent:
                told = self.git.run("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=d", parent, commit)
                entries = [_changed(*pair) for pair in _pairs(told)]
            else:
                entries = [_listed(line) for line in self.git.run("ls-tree", "-r", "-z", commit).split(b"\0") if line]
        except GitFailed as failure:
            raise FileDamage(f"cannot be read: {failure.said}") from failure
        return sorted(entries, key=lambda entry: entry.path)

    def find(self, commit: str, path: str) -> Entry | None:
        """The file at a path of a commit, with its size; None when there is none."""
        try:
            told = self.git.run("--literal-pathspecs", "ls-tree", "-z", commit, "--", path).split(b"\0")[0]
        except GitFailed as failure:
            raise FileDamage(f"cannot be read: {failure.said}") from failure
        return self.sized(_listed(told)) if told else None

    def sized(self, entry: Entry) -> Entry:
        """The entry with the size of its content, 0 for what has none (a submodule)."""
        told = self.git.line("cat-file", "--batch-check=%(objecttype) %(objectsize)", send=f"{entry.blob}\n".encode())
        kind, _, size = told.rpartition(" ")
        return Entry(entry.path, entry.mode, entry.blob, int(size)) if kind == "blob" else entry

    def content(self, entry: Entry) -> bytes:
        """Raises FileDamage when git no longer holds the bytes that it names."""
        try:
            content = self.git.run("cat-file", "blob", entry.blob)
        except GitFailed as failure:
            raise FileDamage(f"cannot be read: {failure.said}") from failure
        if blob_id(content) != entry.blob:
            raise FileDamage("cannot be read: its bytes are not those that git names")
        return content

    def mark(self, branch: Branch, commit: str) -> None:
        """Remember that a branch has been looked at up to a commit. Raises WorkspaceUnavailable."""
        with self.space.locked():
            self.git.run("update-ref", f"{COLLECTED}{branch.executor}", commit)


def _pairs(told: bytes) -> list[tuple[bytes, bytes]]:
    parts = told.split(b"\0")
    return list(zip(parts[::2], parts[1::2], strict=False))


def _changed(meta: bytes, path: bytes) -> Entry:
    _, mode, _, blob, *_ = meta.decode().split(" ")
    return Entry(_text(path), mode, blob, 0)


def _listed(line: bytes) -> Entry:
    meta, _, path = line.partition(b"\t")
    mode, _, blob = meta.decode().split(" ")
    return Entry(_text(path), mode, blob, 0)


def _text(path: bytes) -> str:
    return path.decode(errors="backslashreplace")
