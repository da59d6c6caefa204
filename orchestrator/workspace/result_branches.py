"""What producers commit themselves: a branch of their own for each executor, `refs/inbox/<executor>`
(FR-029).

Only read here, with suspicion: a branch may be rewritten, damaged, endless, called anything, or hold
anything. How far each has been looked at stands in `refs/collected/`, under a digest of the branch's name: so
no two of them can be in each other's way there. Losing that mark costs a second look and nothing else.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.workspace.blobs import Blobs
from orchestrator.workspace.files import FileDamage
from orchestrator.workspace.git import GitFailed, given, shown, text
from orchestrator.workspace.repository import Workspace

INBOX = "refs/inbox/"
COLLECTED = "refs/collected/"
PLAIN_MODES = frozenset({"100644", "100755"})
#: Commits of one branch, and bytes of the list of files that commits change: what is longer is not looked at.
COMMITS = 20_000
LISTED = 8 * 1024 * 1024
#: Seconds in which git has to have listed either.
PATIENCE = 3.0
ENDLESS = (
    f"is too long to be looked at: at most {COMMITS} commits, and {LISTED} bytes of changed names in a commit"
)


@dataclass(frozen=True, slots=True)
class Branch:
    """A producer's branch: its newest commit ("" when the ref itself is damaged) and the one looked at last.

    `ref` is its name as git prints it, which need not be text.
    """

    ref: str
    tip: str
    seen: str

    @property
    def name(self) -> str:
        return shown(self.ref)

    @property
    def executor(self) -> str:
        return shown(self.ref.removeprefix(INBOX))


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a commit; `path` is as git prints it."""

    path: str
    mode: str
    blob: str

    @property
    def plain(self) -> bool:
        return self.mode in PLAIN_MODES

    @property
    def name(self) -> str:
        return shown(self.path)


#: A commit, and its first parent or "".
Step = tuple[str, str]


class ResultBranches:
    """The producers' branches of a workspace."""

    def __init__(self, space: Workspace) -> None:
        self.space, self.git = space, space.git
        self.blobs = Blobs(space.git)

    def moved(self) -> Sequence[Branch]:
        """The branches that stand elsewhere than when they were looked at last, by name.

        Raises WorkspaceUnavailable.
        """
        if not all((self.space.root / ".git" / name).exists() for name in ("HEAD", "objects", "refs")):
            return []  # there is no workspace yet, or it is just being made
        if not self._loose() and not self._packed():
            return []  # nobody has ever pushed; git is not asked for that
        told = text(self.git.run("for-each-ref", "--format=%(objectname) %(refname)", INBOX, COLLECTED))
        refs = {}
        for line in filter(None, told.split("\n")):
            commit, _, name = line.partition(" ")
            refs[name] = commit
        tips = {name: commit for name, commit in refs.items() if name.startswith(INBOX)}
        branches = [Branch(name, tip, refs.get(_mark(name), "")) for name, tip in tips.items()]
        damaged = [Branch(name, "", "") for name in self._loose() - set(tips)]
        return sorted((b for b in [*branches, *damaged] if b.tip != b.seen or not b.tip), key=lambda b: b.ref)

    def _loose(self) -> set[str]:
        """Refs that stand as files; git leaves out those that it cannot read."""
        folder = self.space.root / ".git" / "refs" / "inbox"
        places = ((place, names) for place, _, names in os.walk(folder))
        paths = (
            os.path.relpath(os.path.join(place, name), folder) for place, names in places for name in names
        )
        return {f"{INBOX}{path}" for path in paths if not path.endswith(".lock")}

    def _packed(self) -> bool:
        """Whether git has put producers' branches together with others in one file."""
        try:
            return INBOX.encode() in (self.space.root / ".git" / "packed-refs").read_bytes()
        except FileNotFoundError:
            return False
        except OSError:
            return True  # git knows better

    def commits(self, branch: Branch) -> Sequence[Step]:
        """The commits not looked at yet, oldest first; those of the workspace itself are nobody's results.

        Raises FileDamage when git cannot tell.
        """
        seen = [f"^{branch.seen}"] if branch.seen else []
        try:
            try:
                told = self._listed_commits(branch, *seen)
            except GitFailed:
                told = self._listed_commits(branch)
            if not told:
                self.git.run("rev-parse", "--verify", "--end-of-options", f"{branch.tip}^{{commit}}")
        except GitFailed as failure:
            raise FileDamage(f"cannot be read: {failure.said}") from failure
        words = (line.split(" ") for line in told.split("\n") if line)
        return [(found[0], found[1] if len(found) > 1 else "") for found in words]

    def _listed_commits(self, branch: Branch, *without: str) -> str:
        own = [f"^{head}"] if (head := self.space.head()) else []
        words = ("rev-list", "--first-parent", "--parents", "--reverse", branch.tip, *own, *without, "--")
        told, whole = self.git.part(*words, most=COMMITS * 82, seconds=PATIENCE)
        if not whole:
            raise FileDamage(ENDLESS)
        return text(told)

    def changes(self, steps: Sequence[Step]) -> Iterator[tuple[str, Sequence[Entry] | FileDamage]]:
        """For each commit the files that it adds or changes, by path; or why they cannot be told."""
        try:
            found = self._changes(steps)
        except (GitFailed, FileDamage):
            # One of them is damaged: each is asked about alone.
            for step in steps:
                yield step[0], self._changes_of(step)
            return
        for commit, _ in steps:
            yield commit, sorted(found.get(commit, ()), key=lambda entry: entry.path)

    def _changes_of(self, step: Step) -> Sequence[Entry] | FileDamage:
        try:
            return sorted(self._changes([step]).get(step[0], ()), key=lambda entry: entry.path)
        except GitFailed as failure:
            return FileDamage(f"cannot be read: {failure.said}")
        except FileDamage as damage:
            return damage

    def _changes(self, steps: Sequence[Step]) -> Mapping[str, list[Entry]]:
        send = "".join(f"{commit} {parent}".strip() + "\n" for commit, parent in steps)
        words = ("diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", "--diff-filter=d")
        told, whole = self.git.part(*words, send=send.encode(), most=LISTED, seconds=PATIENCE)
        if not whole:
            raise FileDamage(ENDLESS)
        found: dict[str, list[Entry]] = {}
        parts = iter(text(told).split("\0"))
        commit = ""
        for part in parts:
            if part.startswith(":"):
                _, mode, _, blob, *_ = part.split(" ")
                found[commit].append(Entry(next(parts), mode, blob))
            elif part:
                commit = part
                found[commit] = []
        return found

    def find(self, commit: str, paths: Sequence[str]) -> Mapping[str, Entry]:
        """The files at these paths of a commit, as far as there are any. Raises FileDamage."""
        if not paths:
            return {}
        try:
            told = text(self.git.run("ls-tree", "-z", commit, "--", *paths))
        except GitFailed as failure:
            raise FileDamage(f"cannot be read: {failure.said}") from failure
        entries = [_listed(line) for line in told.split("\0") if line]
        return {entry.path: entry for entry in entries}

    def mark(self, looked_at: Mapping[Branch, str]) -> None:
        """Remember up to which commits branches have been looked at. Raises WorkspaceUnavailable."""
        if not looked_at:
            return
        send = "".join(f"update {_mark(branch.ref)}\0{commit}\0\0" for branch, commit in looked_at.items())
        with self.space.locked():
            self.git.run("update-ref", "--stdin", "-z", send=send.encode())

    def forget(self) -> None:
        """Every branch counts as not looked at, for a database that may know less than the marks say. Needs
        the workspace's `locked()`. Raises WorkspaceUnavailable."""
        marks = text(self.git.run("for-each-ref", "--format=%(refname)", COLLECTED)).split("\n")
        send = "".join(f"delete {mark}\0\0" for mark in marks if mark)
        self.git.run("update-ref", "--stdin", "-z", send=send.encode())


def pushed_to(root: Path) -> tuple[tuple[str, int, int], ...]:
    """The producers' refs as they stand as files, each with its file's number and time; nothing is read."""
    folder = root / ".git" / "refs" / "inbox"
    found = []
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):
            if path.suffix != ".lock" and path.is_file():
                about = path.stat()
                found.append((str(path.relative_to(folder)), about.st_ino, about.st_mtime_ns))
    return tuple(found)


def _mark(ref: str) -> str:
    return f"{COLLECTED}{hashlib.sha256(given(ref)).hexdigest()}"


def _listed(line: str) -> Entry:
    meta, _, path = line.partition("\t")
    mode, _, blob = meta.split(" ")
    return Entry(path, mode, blob)
