"""The consistency check: database, workspace and repositories are compared, thing by thing (LC-12)."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from orchestrator.adapters import leftovers
from orchestrator.adapters.repository import RepositoryFailed
from orchestrator.contract.workspace import ConsistencyFacts, FixFacts, InconsistencyFacts
from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.files import consistency
from orchestrator.core.files.consistency import Code, Inconsistency
from orchestrator.core.files.handoff import workstream_folder
from orchestrator.queries.handoff import expected
from orchestrator.queries.work.registry import INDEX
from orchestrator.services.handoff.damage import workspace
from orchestrator.services.handoff.known_branch import known_branch, look
from orchestrator.workspace import FileDamage, Workspace
from orchestrator.workspace.listing import branch_files, index_files, standing, work_tree


@dataclass(frozen=True, slots=True)
class Looked:
    """The findings of one look, and sentences about what could not be looked at."""

    findings: tuple[Inconsistency, ...]
    unread: tuple[str, ...] = ()


def consistency_facts(*, now: datetime) -> ConsistencyFacts:
    """Look at everything now; nothing is changed. Call it outside a transaction."""
    return facts_of(look_around(now))


def look_around(now: datetime) -> Looked:
    """Compare everything. What cannot be read is said, and the rest is looked at all the same."""
    parts: tuple[Callable[[datetime], Iterable[Inconsistency]], ...] = (_workspace, _branches, _worktrees)
    findings: list[Inconsistency] = []
    unread = []
    for part in parts:
        try:
            findings += part(now)
        except (WorkspaceUnavailable, RepositoryFailed) as refusal:
            unread.append(refusal.message)
        except OSError as problem:
            unread.append(f"{problem.filename}: {problem.strerror}")
    return Looked(tuple(sorted(findings, key=lambda finding: finding.code)), tuple(unread))


def _workspace(now: datetime) -> list[Inconsistency]:
    """Under the workspace's lock, so that nothing is half written while it is looked at. Git's index, which
    lags behind while executors work, catches up first."""
    space = workspace()
    diverged = look(space, now)
    with space.locked():
        space.catch_up()
        digests, _ = expected.handed_over()
        branch, tree = branch_files(space), work_tree(space)
        known = {*digests, *branch}
        files = {path: standing(space, path) for path in tree.files if path in known}
        findings = consistency.judge_files(digests, branch, files)
        findings += consistency.judge_foreign(known | expected.announced(), tree.files, tree.folders)
        findings += consistency.judge_index(branch, index_files(space))
        findings += _listed(space, branch)
    if diverged:
        kind = known_branch().kind.replace("-", " ")
        findings.append(Inconsistency(Code.BRANCH_DIVERGED, "refs/heads/main", kind))
    return findings


def _listed(space: Workspace, branch: Collection[str]) -> list[Inconsistency]:
    """Workstreams in the registry and tasks in the files of each, by what stands in the work tree."""
    slugs, keys = expected.slugs(), expected.task_keys()
    findings: list[Inconsistency] = []
    if INDEX in branch and (streams := _ids(space, INDEX, "streams")) is not None:
        findings += consistency.judge_registry(slugs, streams)
    for slug in sorted(slugs):
        path = f"{workstream_folder(slug)}/tasks.json"
        if path in branch and (tasks := _ids(space, path, "tasks")) is not None:
            findings += consistency.judge_tasks(slug, keys.get(slug, ()), tasks)
    return findings


def _ids(space: Workspace, path: str, member: str) -> set[str] | None:
    """The ids in one of our JSON files; None when somebody made it unreadable, which is a finding of its
    own."""
    try:
        told: Any = json.loads(space.read(path))
        return {str(entry["id"]) for entry in told[member]}
    except (FileDamage, ValueError, KeyError, TypeError, RecursionError):
        return None


def _branches(_now: datetime) -> list[Inconsistency]:
    found = [
        branch
        for repository in leftovers.repositories(Path(settings.REPOSITORIES_DIR))
        for branch in leftovers.branches(repository)
    ]
    return consistency.judge_places(Code.BRANCH_WITHOUT_WORK, expected.work_folders(), found)


def _worktrees(_now: datetime) -> list[Inconsistency]:
    found = leftovers.worktrees(Path(settings.WORKTREES_DIR))
    return consistency.judge_places(Code.WORKTREE_WITHOUT_WORK, expected.work_folders(), found)


def facts_of(looked: Looked, fixes: tuple[FixFacts, ...] = ()) -> ConsistencyFacts:
    """The findings in the words of the contract."""
    warnings = sum(finding.meaning.is_warning for finding in looked.findings)
    errors = len(looked.findings) - warnings
    return ConsistencyFacts(
        consistent=not errors and not looked.unread,
        errors=errors,
        warnings=warnings,
        findings=tuple(map(_facts, looked.findings)),
        unread=looked.unread,
        fixes=fixes,
    )


def _facts(finding: Inconsistency) -> InconsistencyFacts:
    meaning = finding.meaning
    return InconsistencyFacts(
        code=finding.code.value,
        title=meaning.title,
        severity="warning" if meaning.is_warning else "error",
        subject=shown(finding.subject),
        detail=finding.detail,
        place=finding.place,
        fix=meaning.fix,
    )


def shown(name: str) -> str:
    """A name as people and databases can have it: bytes that are no text are written out."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
