"""Do database, workspace and repositories say the same (LC-12)? A finding for each thing that two listings
say differently, with a code that stays.

Whoever looks makes the listings; what they mean is decided here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """What can be found; the value is the code."""

    BRANCH_DIVERGED = "C-01"
    FILE_MISSING = "C-02"
    FILE_EDITED = "C-03"
    STATE_FILE_MISSING = "C-04"
    STATE_FILE_EDITED = "C-05"
    FILE_FOREIGN = "C-06"
    FOLDER_FOREIGN = "C-07"
    INDEX_ENTRY = "C-08"
    REGISTRY_FOREIGN = "C-09"
    REGISTRY_MISSING = "C-10"
    TASK_UNLINKED = "C-11"
    BRANCH_WITHOUT_WORK = "C-12"
    WORKTREE_WITHOUT_WORK = "C-13"


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What a code means in a sentence, what `--fix` does about it, and whether it is a warning
    only: a warning stops nothing, so a check that finds nothing else ends well. `title` heads the code in
    lists."""

    title: str
    means: str
    fix: str
    is_warning: bool = False

    @property
    def plain(self) -> str:
        """What it means without Markdown's marks."""
        return self.means.replace("`", "")


_AGAIN: Final = "Writes it again; what stands there instead is kept"
MEANINGS: Final[Mapping[Code, CodeMeaning]] = {
    Code.BRANCH_DIVERGED: CodeMeaning(
        "Branch diverged",
        "The workspace's branch is not where the database left it, so work is stopped",
        "Nothing, and nothing else in the workspace either: an approver decides on the page Workspace",
    ),
    Code.FILE_MISSING: CodeMeaning(
        "File missing", "A file that was handed over is gone or cannot be read", _AGAIN
    ),
    Code.FILE_EDITED: CodeMeaning(
        "File edited", "A file that was handed over holds other bytes than were handed over", _AGAIN
    ),
    Code.STATE_FILE_MISSING: CodeMeaning(
        "State file missing", "A file that shows the state of work is gone or cannot be read", _AGAIN
    ),
    Code.STATE_FILE_EDITED: CodeMeaning(
        "State file edited",
        "Somebody changed a file that is written from the database, so the change has no effect",
        _AGAIN,
    ),
    Code.FILE_FOREIGN: CodeMeaning(
        "Foreign file",
        "A file, link or anything else in the workspace that nobody handed over",
        "Moves it out of the workspace into the kept copies",
    ),
    Code.FOLDER_FOREIGN: CodeMeaning(
        "Foreign folder",
        "A folder in the workspace in which nothing is that was handed over",
        "Moves it with all that it holds into the kept copies",
    ),
    Code.INDEX_ENTRY: CodeMeaning(
        "Index entry",
        "git's index lists a file otherwise than the branch, so somebody ran `git add`, `rm` or `reset`",
        "Keeps the index, then has it list what the branch holds",
    ),
    Code.REGISTRY_FOREIGN: CodeMeaning(
        "Foreign registry entry",
        "`workstreams/index.json` names a workstream that the database does not have",
        _AGAIN,
    ),
    Code.REGISTRY_MISSING: CodeMeaning(
        "Missing registry entry", "`workstreams/index.json` leaves a workstream out", _AGAIN
    ),
    Code.TASK_UNLINKED: CodeMeaning(
        "Unlinked task",
        "A `tasks.json` names a task that the database does not have, or leaves one out",
        _AGAIN,
        is_warning=True,
    ),
    Code.BRANCH_WITHOUT_WORK: CodeMeaning(
        "Branch without work",
        "A branch `ws/…` of a repository belongs to no thread of any workstream",
        "Keeps its commits under `refs/kept/`, then deletes the branch",
    ),
    Code.WORKTREE_WITHOUT_WORK: CodeMeaning(
        "Worktree without work",
        "A folder of worktrees belongs to no thread of any workstream",
        "Moves it with all that it holds into the kept copies of the worktrees",
    ),
}


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """One finding: its code, what it is about (a path, a branch, a task), where that is, and the
    particulars. `place` is the workspace, or the name of a repository."""

    code: Code
    subject: str
    detail: str = ""
    place: str = ""

    @property
    def meaning(self) -> CodeMeaning:
        return MEANINGS[self.code]

    @property
    def said(self) -> str:
        """The finding in one sentence."""
        what = self.meaning.title.lower()
        return f"{what}: {self.subject}{f' {self.detail}' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class FileStanding:
    """A file of the work tree: the digests of its bytes, or why it has none (`problem`)."""

    sha256: str = ""
    blob: str = ""
    problem: str = ""


def judge_files(
    handed_over: Mapping[str, str], branch: Mapping[str, str], standing: Mapping[str, FileStanding]
) -> list[Inconsistency]:
    """Missing and edited files. `handed_over` has the SHA-256 that the record knows of each path, `branch`
    the blob that git holds; what only the branch holds is a state file, or was handed over and withdrawn."""
    findings = []
    for path in sorted({*handed_over, *branch}):
        file = standing.get(path, FileStanding(problem="is missing"))
        state = path not in handed_over and is_state_file(path)
        if file.problem:
            code = Code.STATE_FILE_MISSING if state else Code.FILE_MISSING
            findings.append(Inconsistency(code, path, file.problem))
        elif not _is_same(path, file, handed_over, branch):
            code = Code.STATE_FILE_EDITED if state else Code.FILE_EDITED
            findings.append(Inconsistency(code, path))
    return findings


def _is_same(
    path: str, file: FileStanding, handed_over: Mapping[str, str], branch: Mapping[str, str]
) -> bool:
    if path in handed_over:
        return file.sha256 == handed_over[path]
    return file.blob == branch[path]


STATE_FILE_NAMES: Final = frozenset({"PLAN.md", "tasks.json", "EXECUTION-DASHBOARD.md", "LEARNINGS.md"})


def is_state_file(path: str) -> bool:
    """Whether a path is one of the files that are written from the database (WF-7)."""
    folders = path.split("/")
    if folders[0] == "docs":
        return True  # what is handed over there is known as such
    return folders[0] == "workstreams" and (
        len(folders) == 2 or (len(folders) == 3 and folders[2] in STATE_FILE_NAMES)
    )


def judge_foreign(
    known: Collection[str], files: Iterable[str], folders: Iterable[str]
) -> list[Inconsistency]:
    """Files and folders that nobody put there. A foreign folder is told once, not with each of its files."""
    parents = {above for path in known for above in _above(path)}
    foreign = {folder for folder in folders if folder not in parents}
    found = [
        Inconsistency(Code.FOLDER_FOREIGN, folder)
        for folder in sorted(foreign)
        if foreign.isdisjoint(_above(folder))
    ]
    for path in sorted(set(files) - set(known)):
        if foreign.isdisjoint(_above(path)):
            found.append(Inconsistency(Code.FILE_FOREIGN, path))
    return found


def _above(path: str) -> list[str]:
    """The folders that a path stands in, the nearest first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


def judge_index(branch: Mapping[str, str], index: Mapping[str, str]) -> list[Inconsistency]:
    """Entries of git's index that are not what the branch holds."""
    findings = []
    for path in sorted({*branch, *index}):
        if path not in index:
            findings.append(Inconsistency(Code.INDEX_ENTRY, path, "is not listed"))
        elif path not in branch:
            findings.append(Inconsistency(Code.INDEX_ENTRY, path, "is listed, but is not on the branch"))
        elif branch[path] != index[path]:
            findings.append(Inconsistency(Code.INDEX_ENTRY, path, "is listed with other bytes"))
    return findings


def judge_registry(known: Collection[str], listed: Collection[str]) -> list[Inconsistency]:
    """Workstreams that the registry names and the database does not have, and the reverse."""
    foreign = [Inconsistency(Code.REGISTRY_FOREIGN, slug) for slug in sorted(set(listed) - set(known))]
    return foreign + [Inconsistency(Code.REGISTRY_MISSING, slug) for slug in sorted(set(known) - set(listed))]


def judge_tasks(slug: str, known: Collection[str], listed: Collection[str]) -> list[Inconsistency]:
    """Tasks of one workstream that its file names and the database does not have, and the reverse."""
    told = dict.fromkeys(sorted(set(listed) - set(known)), "is only in tasks.json")
    told |= dict.fromkeys(sorted(set(known) - set(listed)), "is not in tasks.json")
    return [Inconsistency(Code.TASK_UNLINKED, f"{key} of {slug}", detail) for key, detail in told.items()]


def judge_places(
    code: Code, threads: Collection[tuple[str, str]], found: Iterable[tuple[str, str, str]]
) -> list[Inconsistency]:
    """Branches or worktrees without work. `threads` are (workstream, folder) of every thread and parallel
    step that there ever was, `found` (workstream, folder, repository) of what is there."""
    prefix = "ws/" if code is Code.BRANCH_WITHOUT_WORK else ""
    return [
        Inconsistency(code, f"{prefix}{slug}/{folder}", place=place)
        for slug, folder, place in sorted(found)
        if (slug, folder) not in threads
    ]
