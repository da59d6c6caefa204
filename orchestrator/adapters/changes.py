"""What commits changed in a plan's repository, as people review it: files, counts, lines; only ever read
(FR-006)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from orchestrator.adapters.commits import find_commits
from orchestrator.adapters.repository import git, shown
from orchestrator.core.git_names import is_full_commit
from orchestrator.core.plans.text.line_diff import DiffLine

#: A file larger than this counts as binary: its lines are neither counted nor shown.
LARGEST: Final = ("core.bigFileThreshold", "256k")
#: Characters of a line that are shown.
LONGEST_LINE: Final = 400
#: By no program that the repository or the work names.
PLAIN: Final = ("--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")

_COUNTED: Final = ("--stdin", "--always", "--root", "-r", "--numstat", "-z", *PLAIN)
_PATCH: Final = ("--root", "-r", "--numstat", "-z", "--patch", "--unified=3", "--no-commit-id", *PLAIN)


class CommitSpan(NamedTuple):
    """What one result changed: from `base` (empty: the parent of the commit) to `commit`."""

    base: str
    commit: str


@dataclass(frozen=True, slots=True)
class CountedFile:
    """`path` is git's name, `added` and `removed` count lines; None of what has none, or is too large."""

    path: str
    added: int | None
    removed: int | None

    @property
    def name(self) -> str:
        return shown(self.path)

    @property
    def lines(self) -> int:
        return (self.added or 0) + (self.removed or 0)


def changed_files(repository: Path, spans: Sequence[CommitSpan]) -> list[tuple[CountedFile, ...] | None]:
    """The files of each span in git's order; None where the repository does not know its commits.

    Two processes, however many there are. Raises `RepositoryFailed`.
    """
    if not (repository / ".git").is_dir():
        return [None] * len(spans)
    full = find_commits(repository, [word for span in spans for word in (span.commit, span.base)])
    lines = []
    for span, commit, base in zip(spans, full[::2], full[1::2], strict=True):
        known = commit and (base or not span.base)
        lines.append(f"{commit} {base}".strip() if known else "")
    asked = [line for line in lines if line]
    found = iter(_counted(repository, asked) if asked else ())
    return [next(found, ()) if line else None for line in lines]


def _counted(repository: Path, asked: Sequence[str]) -> list[tuple[CountedFile, ...]]:
    listed = git(
        repository, "diff-tree", *_COUNTED, send="".join(f"{line}\n" for line in asked), settings=_limited()
    )
    spans: list[list[CountedFile]] = []
    for record in listed.split("\0"):
        if is_full_commit(record):
            spans.append([])
        elif record.count("\t") >= 2 and spans:
            added, removed, path = record.split("\t", 2)
            spans[-1].append(CountedFile(path, _count(added), _count(removed)))
    return [tuple(files) for files in spans]


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _limited() -> tuple[str, str]:
    return "-c", "=".join(LARGEST)


def changed_lines(
    repository: Path, span: CommitSpan, paths: Sequence[str]
) -> dict[str, tuple[DiffLine, ...]]:
    """The changed lines of these files, by git's name of each, with three beside each; of a known span.

    Git answers for more files than were asked where one became a folder, so the names are its own.
    """
    if not paths:
        return {}
    ends = [span.base, span.commit] if span.base else [span.commit]
    told = git(repository, "diff-tree", *_PATCH, "--end-of-options", *ends, "--", *paths, settings=_limited())
    listed, _, text = told.partition("\0\0")
    names = [record.split("\t", 2)[2] for record in listed.split("\0") if record.count("\t") >= 2]
    return {name: tuple(_lines(part)) for name, part in zip(names, text.split("\ndiff --git "), strict=False)}


def with_gaps(lines: Sequence[DiffLine]) -> Iterator[tuple[DiffLine, bool]]:
    """Each line, and whether it stands behind a jump."""
    last = 0
    for line in lines:
        yield line, line.at > last + 1
        last = line.at


def _lines(patch: str) -> Iterator[DiffLine]:
    """The lines of one file's patch; its head ends where the first stretch begins."""
    old = new = 0
    inside = False
    for line in patch.split("\n"):
        if line.startswith("@@ "):
            inside, (old, new) = True, _starts(line)
        elif inside and line[:1] in {"+", "-", " "}:
            text = shown(line[1:])
            text = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
            kind = {"+": "ins", "-": "dele", " ": ""}[line[0]]
            yield DiffLine(kind, old if kind == "dele" else new, text, new)
            old += kind != "ins"
            new += kind != "dele"


def _starts(head: str) -> tuple[int, int]:
    """`@@ -3,2 +5,4 @@` begins at 3 in the old text and at 5 in the new one."""
    before, after = head.split(" ")[1:3]
    return int(before[1:].split(",")[0]), int(after[1:].split(",")[0])
