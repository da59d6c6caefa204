"""The ways out of a damaged artifact.

Look again, republish, restore, or declare the result failed.
"""

import hashlib
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import ArtifactDamaged, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import WORKERS
from orchestrator.core.terms import ArtifactState, Scope
from orchestrator.models import HandoffArtifact
from orchestrator.queries.handoff.handovers import PUBLISHED, expected_files
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_workstream, outside_transactions
from orchestrator.services.base.steps import made, once
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.damage import judge_launched_again, move, problem_of, workspace
from orchestrator.services.handoff.known_branch import note_head, refuse_diverged_writer
from orchestrator.services.handoff.publishing import contents_of, publish
from orchestrator.services.people.interventions import artifact_settled
from orchestrator.services.work.rework import send_back
from orchestrator.workspace import Workspace

#: How an artifact stops being damaged by somebody's act.
RECOVERIES = (Action.ARTIFACT_REPUBLISHED, Action.ARTIFACT_RESTORED, Action.ARTIFACT_WITHDRAWN)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM, Lock.SEALER),
    records=(Action.ARTIFACT_PUBLISHED_AGAIN, Action.ARTIFACT_INTACT_AGAIN, Action.INTERVENTION_DONE),
    in_steps=True,
)
def retry_artifact(*, artifact_id: int, actor: Actor, now: datetime) -> HandoffArtifact:
    """Look at the files again; one that could not be committed is committed now. ArtifactDamaged when nothing
    changed.

    Raises WorkspaceUnavailable when the workspace still cannot be written.
    """
    artifact = _to_recover(artifact_id)
    if artifact.state == ArtifactState.PENDING:
        publish(now=now, workstream_id=artifact.workstream_id)
        return _recovered(artifact, Action.ARTIFACT_PUBLISHED_AGAIN, actor, now)
    return _recovered(artifact, Action.ARTIFACT_INTACT_AGAIN, actor, now)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM, Lock.SEALER),
    records=(Action.ARTIFACT_REPUBLISHED, Action.INTERVENTION_DONE),
    in_steps=True,
)
def republish_artifact(*, artifact_id: int, actor: Actor, now: datetime) -> HandoffArtifact:
    """Write the artifact and its outputs again from the record.

    Git gets a new commit only where it lost them.
    """
    artifact = _to_recover(artifact_id)
    if artifact.state == ArtifactState.PENDING:
        return retry_artifact(artifact_id=artifact_id, actor=actor, now=now)
    _rewrite(artifact, _recorded(artifact), now)
    return _recovered(artifact, Action.ARTIFACT_REPUBLISHED, actor, now)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM, Lock.SEALER),
    records=(Action.ARTIFACT_REPUBLISHED, Action.INTERVENTION_DONE),
    in_steps=True,
)
def republish_workstream(*, workstream_id: int, actor: Actor, now: datetime) -> int:
    """Write everything that a workstream has handed over again from the record, after the branch was
    rewritten or an older workspace restored (F22, F24); how many artifacts became usable again. WrongState
    when none is damaged."""
    rows = (
        HandoffArtifact.objects.filter(workstream=workstream_id)
        .select_related("attempt")
        .order_by("sequence")
    )
    damaged = list(rows.filter(state=ArtifactState.DAMAGED))
    if not damaged and not made("begun"):
        raise WrongState("Nothing that the workstream has handed over is damaged.")
    once("begun", lambda: workstream_id)
    published = rows.filter(state__in=PUBLISHED).values_list("pk", flat=True)
    for pk in list(published):
        artifact = rows.get(pk=pk)
        _rewrite(artifact, _recorded(artifact), now)
    for artifact in damaged:
        artifact.refresh_from_db()
        _recovered(artifact, Action.ARTIFACT_REPUBLISHED, actor, now)
    return len(damaged)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM, Lock.SEALER),
    records=(Action.ARTIFACT_RESTORED, Action.INTERVENTION_DONE),
    in_steps=True,
)
def restore_artifact(*, artifact_id: int, actor: Actor, now: datetime) -> HandoffArtifact:
    """Take the artifact and its outputs out of its git commit.

    ArtifactDamaged when the commit no longer holds them.
    """
    artifact = _to_recover(artifact_id)
    space = workspace()
    contents = {
        path: _from_commit(space, artifact, path, sha) for path, sha in expected_files(artifact).items()
    }
    _rewrite(artifact, contents, now)
    return _recovered(artifact, Action.ARTIFACT_RESTORED, actor, now)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=why("reason", "A result is declared failed with a reason."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.ARTIFACT_WITHDRAWN,),
    in_steps=True,
)
def withdraw_artifact(*, artifact_id: int, reason: str, actor: Actor, now: datetime) -> HandoffArtifact:
    """Declare the result failed.

    The artifact no longer counts, its step and everything after it is done again.
    """
    artifact = _to_recover(artifact_id)
    once(f"artifact {artifact.pk}", lambda: _withdraw(artifact, reason, actor, now))
    artifact.refresh_from_db()
    return artifact


def _withdraw(artifact: HandoffArtifact, reason: str, actor: Actor, now: datetime) -> int:
    with unit_of_work():
        workstream = locked_workstream(artifact.workstream_id)
        _moved(artifact, ArtifactState.WITHDRAWN, artifact.problem)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.ARTIFACT_WITHDRAWN,
            subject=artifact.path,
            reason=reason,
            now=now,
            data={"problem": artifact.problem},
        )
        send_back(task_id=artifact.attempt.task_id, reason=reason, actor=actor, now=now)
    return artifact.pk


def _to_recover(artifact_id: int) -> HandoffArtifact:
    """A damaged artifact, or a pending one that could not be written; or one that was, when a call with the
    same idempotency key began."""
    artifact = HandoffArtifact.objects.select_related("attempt").filter(pk=artifact_id).first()
    if artifact is None:
        raise NotFound("There is no such artifact.")
    lost = artifact.state == ArtifactState.DAMAGED or (
        artifact.state == ArtifactState.PENDING and artifact.problem
    )
    begun = f"artifact {artifact.pk} begun"
    if lost or made(begun):
        once(begun, lambda: artifact.pk)
        return artifact
    raise _recovered_already(artifact)


def _recovered_already(artifact: HandoffArtifact) -> Refusal:
    """Names who recovered the artifact, where somebody did."""
    return by_whom(
        WrongState(f"{artifact.path} is {artifact.state}, not damaged; there is nothing to recover."),
        f"{artifact.path} was recovered already; it is {artifact.state}",
        workstream=artifact.workstream,
        actions=RECOVERIES,
        subject=artifact.path,
    )


def _recorded(artifact: HandoffArtifact) -> dict[str, bytes]:
    """The artifact's files as the record has them, without outputs that a later artifact replaced."""
    wanted = expected_files(artifact)
    return {path: content for path, content in contents_of([artifact]).items() if path in wanted}


def _from_commit(space: Workspace, artifact: HandoffArtifact, path: str, sha256: str) -> bytes:
    content = space.content_at(artifact.commit, path)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        commit = artifact.commit[:12] or "no commit"
        raise ArtifactDamaged(
            f"Commit {commit} no longer holds {path} as it was handed over.",
            recovery="Republish the file from the record, or declare the result failed.",
            path=path,
        )
    return content


def _rewrite(artifact: HandoffArtifact, contents: dict[str, bytes], now: datetime) -> None:
    """Make branch and work tree hold the files.

    A crash after it leaves a file that the next check finds intact.
    """
    outside_transactions()
    space = workspace()
    with space.locked():
        refuse_diverged_writer(space, now)
        space.mend(contents.values())
        note_head(space.write(contents, f"Recovered {artifact.path}\n", now))
        commit = space.commit_of(artifact.path)
    if commit and commit != artifact.commit:
        HandoffArtifact.objects.filter(pk=artifact.pk).update(commit=commit, committed_at=now)
        artifact.commit = commit


def _recovered(artifact: HandoffArtifact, action: Action, actor: Actor, now: datetime) -> HandoffArtifact:
    if artifact.state == ArtifactState.DAMAGED and (still := problem_of(workspace(), artifact)):
        raise ArtifactDamaged(f"It still cannot be used: {still}.", path=artifact.path)
    once(f"artifact {artifact.pk}", lambda: _settle(artifact, action, actor, now))
    artifact.refresh_from_db()
    return artifact


def _settle(artifact: HandoffArtifact, action: Action, actor: Actor, now: datetime) -> int:
    problem = artifact.problem
    with unit_of_work():
        workstream = locked_workstream(artifact.workstream_id)
        if artifact.state == ArtifactState.DAMAGED:
            _moved(artifact, ArtifactState.COMMITTED, "")
        artifact_settled(artifact, f"{action.capitalize()} by {actor.label}.", now)
        record(
            workstream=workstream,
            actor=actor,
            action=action,
            subject=artifact.path,
            reason=problem,
            now=now,
        )
        judge_launched_again(workstream.pk)
        wake(workstream.pk)
    return artifact.pk


def _moved(artifact: HandoffArtifact, state: ArtifactState, problem: str) -> None:
    if not move(artifact, state, problem):
        artifact.refresh_from_db()
        raise _recovered_already(artifact)
