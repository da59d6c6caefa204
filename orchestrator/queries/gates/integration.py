"""What would be merged into the base branch: of all completed work, or of what came to a gate (FR-010,
BX-3)."""

import hashlib
from collections.abc import Collection
from typing import Final

from django.conf import settings

from orchestrator.adapters.previews import Merge, changes, merge_of, tips_of
from orchestrator.contract.places import ChangedFile, MergedStep, MergePreview
from orchestrator.core.git_names import is_commit_word
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Task, Workstream
from orchestrator.queries.engine.signatures import latest_completed
from orchestrator.queries.work.baseline import base_branch_of
from orchestrator.queries.work.commits_before import commits_before

#: What the setting may say beside a program.
OFF, MERGE, COMMAND = "off", "merge", "command"
_NOTHING: Final = "Nothing that the base branch does not have already."


def how_integrated() -> str:
    """What the operator set: nothing, a merge, or a program."""
    said: str = settings.INTEGRATION
    return said if said in (OFF, MERGE) else COMMAND


def merge_preview(workstream: Workstream, gate: Task | None = None, at: int = 0) -> MergePreview | None:
    """None where the plan's repository is not on this machine. With a `gate` only what came before it. `at`
    is when the merge is made, in seconds since 1970: to be looked at it is always the same commit, so that
    looking leaves no more than one."""
    branch = base_branch_of(workstream)
    if branch is None:
        return None
    base, named = branch.head(), _named(workstream, gate)
    tips = tips_of(branch.repository, base, list(named))
    merge = merge_of(branch.repository, base, tips, _message_of(workstream), at)
    files, more = changes(branch.repository, base, merge.commit) if merge.commit else ((), 0)
    return MergePreview(
        into=branch.name,
        base=base,
        commit=merge.commit,
        steps=tuple(MergedStep(_key_of(named, tip), tip) for tip in tips),
        files=tuple(ChangedFile(one.path, one.added, one.removed, one.binary, one.text) for one in files),
        more=more,
        added=sum(one.added for one in files),
        removed=sum(one.removed for one in files),
        clashes=merge.clashes,
        how=how_integrated(),
        seal=hashlib.sha256(" ".join([base, *tips]).encode()).hexdigest(),
        said=_said(merge, branch.name, len(files) + more, _key_of(named, merge.clashing)),
    )


def _message_of(workstream: Workstream) -> str:
    return f"Merge {workstream.slug}: {workstream.title}"


def _named(workstream: Workstream, gate: Task | None) -> dict[str, str]:
    """Commit -> key of the step that made it, in launch order."""
    if gate is not None:
        return {one.commit: one.key for one in commits_before(gate) if not one.same_files}
    found = latest_completed().filter(
        task__workstream=workstream,
        task__status=TaskStatus.COMPLETE,
        task__step__version=workstream.version_id,
    )
    rows = found.exclude(commit="").order_by("ended_at", "pk").values_list("commit", "task__step__key")
    return {commit: key for commit, key in rows if is_commit_word(commit)}


def _key_of(named: dict[str, str], commit: str) -> str:
    """Commits may have been named by their beginning."""
    return next((key for word, key in named.items() if commit.startswith(word)), "") if commit else ""


def _said(merge: Merge, into: str, files: int, clashing: str) -> str:
    if merge.clashing:
        where = f" in {_listed(merge.clashes)}" if merge.clashes else ""
        return f"The work of {clashing} does not fit to the rest{where}; it cannot be merged as it is."
    if not files:
        return _NOTHING
    return f"{files} file{'' if files == 1 else 's'} would change in {into}."


def _listed(names: Collection[str]) -> str:
    shown = list(names)[:10]
    return f"{', '.join(shown)}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"
