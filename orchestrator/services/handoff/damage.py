"""Damage: artifact files that are missing, unreadable or altered stop their successors, by name.

Requirements: EC-3, F32.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from orchestrator.core.actions import Action
from orchestrator.core.files.handoff import ALTERED, reading_problem
from orchestrator.core.terms import ArtifactState
from orchestrator.models import Attempt, HandoffArtifact, Task, Workstream
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.handoff.handovers import Handover, expected_files, handovers_in_use
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import locked_workstream
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.known_branch import intend
from orchestrator.services.people.interventions import artifact_settled, ask_about_artifact
from orchestrator.workspace import FileDamage, Workspace


def workspace() -> Workspace:
    """The workspace; the database is told before its branch moves (F6)."""
    space = Workspace(settings.WORKSPACE_DIR)
    space.intend = intend
    space.edited = _note_edited
    return space


def _note_edited(path: str, kept: str, now: datetime) -> None:
    """A file that somebody edited is about to be written anew: people are told first (LC-12)."""
    with unit_of_work():
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.EDITED_FILE_REPLACED,
            subject=path,
            reason=f"Somebody had edited the file; it is written anew. What they wrote is kept as {kept}.",
            now=now,
            data={"path": path, "kept": kept},
        )


def check_handovers(*, workstream: Workstream, now: datetime, whole: bool = False) -> list[HandoffArtifact]:
    """Look at the files that open tasks build on; answer with the damaged ones. Part of every advance.

    `whole` looks at what somebody will build on later, too, as sweeps do.
    """
    return _check(handovers_in_use(workstream, whole=whole), now)


def check_intact(artifacts: Iterable[HandoffArtifact], *, now: datetime) -> list[HandoffArtifact]:
    """Compare committed artifacts with the work tree and record what changed; answer with the damaged ones.

    Files that came back make the artifact usable again. Takes the workstream's lock only when something
    changed.
    """
    return _check((Handover(artifact, expected_files(artifact)) for artifact in artifacts), now)


def _check(handovers: Iterable[Handover], now: datetime) -> list[HandoffArtifact]:
    space = workspace()
    damaged = []
    for handover in handovers:
        artifact, problem = handover.artifact, _problem_of(space, handover)
        if problem != artifact.problem:
            note_problem(artifact, problem, now)
        if problem:
            damaged.append(artifact)
    return damaged


def problem_of(space: Workspace, artifact: HandoffArtifact) -> str:
    """A sentence that names the first file that cannot be used, or ""."""
    return _problem_of(space, Handover(artifact, expected_files(artifact)))


def _problem_of(space: Workspace, handover: Handover) -> str:
    artifact = handover.artifact
    for path, digest in handover.files.items():
        try:
            content = space.read(path)
        except FileDamage as damage:
            return f"{path} {damage}"
        unread = reading_problem(content) if path == artifact.path else ""
        if unread or hashlib.sha256(content).hexdigest() != digest:
            return f"{path} {unread or ALTERED}"
        if flipped := space.damaged_object(content):
            return f"{path} is damaged in git: object {flipped[:12]} no longer holds what was committed"
    if artifact.state == ArtifactState.DAMAGED and artifact.commit and not space.reaches(artifact.commit):
        return _lost(artifact)
    return ""


def _lost(artifact: HandoffArtifact) -> str:
    return (
        f"{artifact.path} was committed as {artifact.commit[:12]}, which the branch no longer holds; "
        "was it rewritten, or an older workspace restored?"
    )


def note_problem(artifact: HandoffArtifact, problem: str, now: datetime) -> None:
    """Mark an artifact damaged, or intact again when the problem is "", with its history entry."""
    with unit_of_work():
        workstream = locked_workstream(artifact.workstream_id)
        state = ArtifactState.DAMAGED if problem else ArtifactState.COMMITTED
        if not move(artifact, state, problem):
            return
        record(
            workstream=workstream,
            actor=ORCHESTRATOR,
            action=Action.ARTIFACT_DAMAGED if problem else Action.ARTIFACT_INTACT_AGAIN,
            subject=artifact.path,
            reason=problem,
            now=now,
        )
        if problem:
            ask_about_artifact(artifact, now)
        else:
            artifact_settled(artifact, "The file is intact again.", now)
        judge_launched_again(workstream.pk)
        wake(workstream.pk)


def judge_launched_again(workstream_id: int) -> None:
    """A handover was lost or came back.

    The next round says anew of all launched tasks whether they are held.
    """
    live = Attempt.objects.filter(task__workstream=workstream_id, status__in=LIVE)
    Task.objects.filter(pk__in=live.values("task")).update(due=True, standing=False)


def move(artifact: HandoffArtifact, state: ArtifactState, problem: str = "") -> bool:
    """Change the state of an artifact that nobody else has moved since it was read.

    The caller holds the lock.
    """
    moved = HandoffArtifact.objects.filter(
        pk=artifact.pk, state=artifact.state, problem=artifact.problem
    ).update(state=state, problem=problem)
    if moved:
        artifact.state, artifact.problem = state, problem
    return bool(moved)
