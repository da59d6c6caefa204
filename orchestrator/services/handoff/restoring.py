"""What `--fix` does about the findings of the consistency check: everything that is replaced is kept, and the
history says what was done (LC-12).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from orchestrator.adapters import leftovers
from orchestrator.contract.workspace import ConsistencyFacts, FixFacts
from orchestrator.core.actions import Action
from orchestrator.core.errors import Refusal, WorkspaceUnavailable, WrongState
from orchestrator.core.files.consistency import Code, Inconsistency
from orchestrator.core.people.roles import APPROVERS
from orchestrator.models import HandoffArtifact
from orchestrator.queries.handoff import expected
from orchestrator.queries.handoff.handovers import PUBLISHED
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, outside_transactions
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.consistency import facts_of, look_around, shown
from orchestrator.services.handoff.damage import check_intact, workspace
from orchestrator.services.handoff.known_branch import note_head, refuse_diverged_writer
from orchestrator.services.handoff.publishing import contents_of, publish
from orchestrator.workspace import Workspace
from orchestrator.workspace.branch import list_again
from orchestrator.workspace.kept import keep_index, set_aside

#: What is done under the workspace's lock, in this order: what is in the way goes first.
FOREIGN: Final = (Code.FOLDER_FOREIGN, Code.FILE_FOREIGN)
FILES: Final = (
    Code.FILE_MISSING,
    Code.FILE_EDITED,
    Code.STATE_FILE_MISSING,
    Code.STATE_FILE_EDITED,
)
LISTS: Final = (Code.REGISTRY_FOREIGN, Code.REGISTRY_MISSING, Code.TASK_UNLINKED)
#: Fixes that a history entry names; the kept copies have all of them.
NAMED: Final = 200

Fixes = list[FixFacts]


@act(
    roles=APPROVERS,
    person="Whether the database is right about files is decided by a person.",
    locks=(Lock.WORKSTREAM, Lock.SEALER),
    records=(Action.CONSISTENCY_RESTORED, Action.ARTIFACT_INTACT_AGAIN, Action.INTERVENTION_DONE),
    in_steps=True,
)
def restore_consistency(*, actor: Actor, now: datetime) -> ConsistencyFacts:
    """Fix what the consistency check finds, by the database; what is replaced is kept. Answers with what was
    done and what a new look finds. WrongState when there is nothing to fix. Call it outside a transaction; a
    kill leaves findings, and the act is done again."""
    outside_transactions()
    findings = look_around(now).findings
    if not findings:
        raise WrongState("Database, workspace and repositories agree; there is nothing to fix.")
    fixes: Fixes = []
    try:
        _fix_workspace(findings, fixes, now)
        _fix_lists(findings, fixes, now)
        _fix_places(findings, fixes, now)
    finally:
        _note(fixes, actor, now)
    published = HandoffArtifact.objects.filter(state__in=PUBLISHED)
    check_intact(published.exclude(problem="").select_related("attempt"), now=now)
    return facts_of(look_around(now), tuple(fixes))


def _of(findings: Iterable[Inconsistency], codes: Sequence[Code]) -> list[Inconsistency]:
    return sorted((one for one in findings if one.code in codes), key=lambda one: codes.index(one.code))


def _done(finding: Inconsistency, kept: str = "", problem: str = "") -> FixFacts:
    return FixFacts(finding.code.value, shown(finding.subject), finding.place, shown(kept), problem)


def _fix_workspace(findings: Sequence[Inconsistency], fixes: Fixes, now: datetime) -> None:
    mine = _of(findings, (*FOREIGN, *FILES, Code.INDEX_ENTRY))
    if not mine:
        return
    space = workspace()
    try:
        with space.locked():
            refuse_diverged_writer(space, now)
            _fix_foreign(space, _of(mine, FOREIGN), fixes, now)
            _fix_index(space, _of(mine, (Code.INDEX_ENTRY,)), fixes, now)
            _fix_files(space, _of(mine, FILES), fixes, now)
    except WorkspaceUnavailable as refusal:
        tried = {(fix.code, fix.subject) for fix in fixes}
        left = [one for one in mine if (one.code.value, shown(one.subject)) not in tried]
        fixes += [_done(one, problem=refusal.message) for one in left]


def _fix_foreign(space: Workspace, findings: Sequence[Inconsistency], fixes: Fixes, now: datetime) -> None:
    for finding in findings:
        fixes.append(_done(finding, kept=set_aside(space.root, finding.subject, now)))


def _fix_index(space: Workspace, findings: Sequence[Inconsistency], fixes: Fixes, now: datetime) -> None:
    if findings:
        kept = keep_index(space.root, now)
        list_again(space)
        fixes += [_done(finding, kept=kept) for finding in findings]


def _fix_files(space: Workspace, findings: Sequence[Inconsistency], fixes: Fixes, now: datetime) -> None:
    """One after the other: files may be large. What the record has is written, else what the branch holds."""
    owners = expected.handed_over()[1]
    for finding in findings:
        path = finding.subject
        content = _recorded(owners, path) or space.content_at(space.head(), path)
        if content is None:
            fixes.append(_done(finding, problem="Neither the record nor the branch has its bytes."))
            continue
        kept = set_aside(space.root, path, now)
        problem = ""
        try:
            space.mend([content])
            note_head(space.write({path: content}, f"Recovered {path}\n", now))
        except WorkspaceUnavailable as refusal:
            problem = refusal.message  # the file is missing now: the history has to say where it is kept
        fixes.append(_done(finding, kept=kept, problem=problem))


def _recorded(owners: Mapping[str, int], path: str) -> bytes | None:
    owner = owners.get(path)
    if owner is None:
        return None
    return contents_of([HandoffArtifact.objects.get(pk=owner)]).get(path)


def _fix_lists(findings: Sequence[Inconsistency], fixes: Fixes, now: datetime) -> None:
    """Registry and task lists are written from the rows again; publishing any workstream writes the registry
    too."""
    mine = _of(findings, LISTS)
    if not mine:
        return
    slugs = expected.slugs()
    named = {finding.subject.rpartition(" of ")[2] for finding in mine if finding.code is Code.TASK_UNLINKED}
    problem = ""
    try:
        for slug in sorted(named & slugs.keys()) or sorted(slugs)[:1]:
            publish(now=now, workstream_id=slugs[slug])
    except Refusal as refusal:
        problem = refusal.message
    fixes += [_done(finding, problem=problem) for finding in mine]


def _fix_places(findings: Sequence[Inconsistency], fixes: Fixes, now: datetime) -> None:
    """Worktrees first: a branch that is checked out cannot be deleted."""
    ways: dict[Code, Callable[[Inconsistency, datetime], str]] = {
        Code.WORKTREE_WITHOUT_WORK: _keep_worktree,
        Code.BRANCH_WITHOUT_WORK: _keep_branch,
    }
    for finding in _of(findings, tuple(ways)):
        try:
            fixes.append(_done(finding, kept=ways[finding.code](finding, now)))
        except Refusal as refusal:
            fixes.append(_done(finding, problem=refusal.message))


def _keep_worktree(finding: Inconsistency, now: datetime) -> str:
    return leftovers.keep_worktree(Path(settings.WORKTREES_DIR), finding.subject, now)


def _keep_branch(finding: Inconsistency, now: datetime) -> str:
    return leftovers.keep_branch(Path(settings.REPOSITORIES_DIR) / finding.place, finding.subject, now)


def _note(fixes: Sequence[FixFacts], actor: Actor, now: datetime) -> None:
    """Also of what was done before something failed, and of what was moved aside and could not be written."""
    fixed = [fix for fix in fixes if fix.kept or not fix.problem]
    if not fixed:
        return
    with unit_of_work():
        record(
            workstream=None,
            actor=actor,
            action=Action.CONSISTENCY_RESTORED,
            subject=f"{len(fixed)} finding{'' if len(fixed) == 1 else 's'}",
            reason="The database was taken as right. What was replaced is kept.",
            now=now,
            data={
                "fixed": [
                    {"code": fix.code, "subject": fix.subject, "place": fix.place, "kept": fix.kept}
                    for fix in fixed[:NAMED]
                ],
                "left_off": max(0, len(fixed) - NAMED),
            },
        )
