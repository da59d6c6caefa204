"""Learnings as a section of the repository's own file for agents, where the operator wants it (BX-7)."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from orchestrator.adapters.commits import branch_head
from orchestrator.adapters.repository import REPOSITORY_NAME, RepositoryFailed, locked
from orchestrator.adapters.root_file import NotPlain, RootFile, is_checked_out
from orchestrator.core.actions import Action
from orchestrator.core.files.learnings_section import Lesson, SectionDamaged, with_section
from orchestrator.models import Learning
from orchestrator.queries.work.learned import learned_on, repositories_with_learnings
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work

logger = logging.getLogger(__name__)

#: Where the section waits to be merged while a working tree stands on the base branch.
OWN_BRANCH: Final = "orchestrator/learnings"
MESSAGE: Final = "Learnings of earlier work"


def write_learnings(now: datetime) -> list[str]:
    """Bring the section up to date in every repository that work taught something on; returns what was
    written, a line each. Nothing happens unless `LEARNINGS_FILE` names the file.

    The sweep does it, and only the sweep: it belongs to no attempt. A commit in a thread's worktree would
    stand among the work that people review, touch a file that the thread does not own, and meet the same
    lines in every other thread that is merged. So the section is a commit of its own on top of the base
    branch, made of git's objects under the repository's lock. The base branch itself is moved only where
    git would take such a commit from outside, too: while no working tree stands on it, because that one
    would then seem to take the section back. Else the commit stands on `orchestrator/learnings/<base
    branch>` for people to merge, and is made anew on top of the base branch when either has changed.
    Each commit has its entry in the history (FR-009). Trouble with one repository is logged, and holds up
    nothing.
    """
    if not settings.LEARNINGS_FILE:
        return []
    written = []
    for repository, base in repositories_with_learnings():
        try:
            branch = _write(repository, base, now)
        except (RepositoryFailed, NotPlain, SectionDamaged, OSError) as problem:
            logger.warning("%s of %s is left as it is: %s", settings.LEARNINGS_FILE, repository, problem)
            continue
        if branch:
            written.append(f"{repository}: {settings.LEARNINGS_FILE} on {branch}")
    return written


def _write(name: str, base: str, now: datetime) -> str:
    """The branch that was moved; empty when the section is as it should be, or the repository is not here."""
    folder = Path(settings.REPOSITORIES_DIR) / name
    if not REPOSITORY_NAME.fullmatch(name) or not (folder / ".git").is_dir():
        return ""
    file = RootFile(folder, settings.LEARNINGS_FILE)
    with locked(folder / ".git" / "orchestrator.lock"):
        head = branch_head(folder, base)
        if not head:
            return ""
        there = file.text(head)
        wanted = with_section(there, [_lesson(row) for row in learned_on(name)])
        if wanted == there:
            return ""
        branch = f"{OWN_BRANCH}/{base}" if is_checked_out(folder, base) else base
        old = branch_head(folder, branch)
        if branch != base and old and _waits_already(file, old, wanted, head):
            return ""
        commit = file.put(branch, wanted, parent=head, old=old, message=MESSAGE)
    _record(name, branch, commit, now)
    return branch


def _record(repository: str, branch: str, commit: str, now: datetime) -> None:
    with unit_of_work():
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.LEARNINGS_WRITTEN,
            subject=f"{settings.LEARNINGS_FILE} of {repository}",
            now=now,
            data={"repository": repository, "branch": branch, "commit": commit},
        )


def _waits_already(file: RootFile, commit: str, wanted: str, head: str) -> bool:
    """Whether our own branch holds this very section on top of where the base branch stands."""
    return file.parent_of(commit) == head and file.text(commit) == wanted


def _lesson(row: Learning) -> Lesson:
    return Lesson(f"{row.workstream.title}, {row.after}", row.went_wrong, row.worked, row.tighten)
