"""What came in at a gate, as files and lines of the plan's repository (FR-006)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from orchestrator.adapters.changes import CommitSpan, CountedFile, changed_files, changed_lines, with_gaps
from orchestrator.adapters.repository import REPOSITORY_NAME, RepositoryFailed
from orchestrator.core.git_names import is_commit_word
from orchestrator.core.plans.text.line_diff import DiffLine
from orchestrator.models import Attempt, Workstream
from orchestrator.queries.gates.gates import Incoming

#: Files of one result that are listed, and of which lines are shown; changed lines of a file, and of all.
MOST_LISTED: Final = 200
MOST_FILES: Final = 40
MOST_LINES: Final = 400
MOST_IN_ALL: Final = 2_000


@dataclass(frozen=True, slots=True)
class ReviewedFile:
    """A file with its changed lines; `why_not` says why none are shown."""

    file: CountedFile
    lines: tuple[tuple[DiffLine, bool], ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one result changed since `span.base`."""

    attempt: Attempt
    span: CommitSpan
    files: tuple[CountedFile, ...]

    @property
    def listed(self) -> tuple[CountedFile, ...]:
        return self.files[:MOST_LISTED]

    @property
    def unlisted(self) -> int:
        return len(self.files) - len(self.listed)

    @property
    def added(self) -> int:
        return sum(file.added or 0 for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed or 0 for file in self.files)


def repository_of(workstream: Workstream) -> Path | None:
    """The folder of the plan's repository, if it names one."""
    name = workstream.version.repository
    return Path(settings.REPOSITORIES_DIR) / name if REPOSITORY_NAME.fullmatch(name) else None


def changes_of(workstream: Workstream, incoming: Sequence[Incoming]) -> dict[int, Changes]:
    """By attempt, what each result changed that names a commit of the plan's repository.

    The first result of a thread is compared with where its work began, a later one with the one before it.
    """
    repository = repository_of(workstream)
    spans = dict(_spans(incoming))
    if repository is None or not spans:
        return {}
    try:
        found = changed_files(repository, [span for _, span in spans.values()])
    except RepositoryFailed:
        return {}
    pairs = zip(spans.items(), found, strict=True)
    return {pk: Changes(attempt, span, files) for (pk, (attempt, span)), files in pairs if files is not None}


def _spans(incoming: Sequence[Incoming]) -> Iterator[tuple[int, tuple[Attempt, CommitSpan]]]:
    before: dict[int, str] = {}
    for one in incoming:
        attempt, thread = one.attempt, one.row.task.step.thread_id
        if attempt is not None and is_commit_word(attempt.commit):
            yield attempt.pk, (attempt, CommitSpan(before.get(thread, attempt.base), attempt.commit))
            before[thread] = attempt.commit


def lines_of_changes(workstream: Workstream, changes: Changes) -> list[ReviewedFile]:
    """The files of one result with their lines, as many as can be read; the others say why not."""
    repository = repository_of(workstream)
    wanted: list[CountedFile] = []
    left = MOST_IN_ALL
    for file in changes.files:
        if not why_not_shown(file) and len(wanted) < MOST_FILES and file.lines <= left:
            wanted.append(file)
            left -= file.lines
    if repository is None:
        return []
    try:
        lines = changed_lines(repository, changes.span, [file.path for file in wanted])
    except RepositoryFailed:
        lines = {}
    return [_change(file, lines) for file in changes.listed]


def why_not_shown(file: CountedFile) -> str:
    if file.added is None:
        return "It is binary, or too large to be compared here."
    if file.lines == 0:
        return "No line of it changed."
    if file.lines > MOST_LINES:
        return f"{file.lines} lines changed, more than the {MOST_LINES} that are shown of a file."
    return ""


def _change(file: CountedFile, lines: dict[str, tuple[DiffLine, ...]]) -> ReviewedFile:
    if why := why_not_shown(file):
        return ReviewedFile(file, why_not=why)
    if not lines.get(file.path):
        return ReviewedFile(file, why_not="There is more than one page shows; look into the repository.")
    return ReviewedFile(file, tuple(with_gaps(lines[file.path])))
