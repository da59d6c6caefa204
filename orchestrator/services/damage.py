"""Damage: artifact files that are missing, unreadable or altered stop their successors, by name (EC-3, F32)."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from orchestrator.core.handoff import ALTERED, reading_problem
from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact
from orchestrator.queries.handovers import STANDING, expected_files, handovers_in_use
from orchestrator.queries.prepared import Prepared
from orchestrator.queries.snapshot import workstream_row
from orchestrator.services.actor import ORCHESTRATOR
from orchestrator.services.history import record
from orchestrator.services.interventions import artifact_settled, ask_about_artifact
from orchestrator.services.locks import locked_workstream
from orchestrator.services.unit_of_work import unit_of_work
from orchestrator.services.wake import wake
from orchestrator.workspace import FileDamage, Workspace


def workspace() -> Workspace:
    return Workspace(settings.WORKSPACE_DIR)


def check_handovers(*, workstream_id: int, now: datetime) -> Sequence[HandoffArtifact]:
    """Look at the files that open tasks build on; answer with the damaged ones. Part of every advance."""
    return check_intact(handovers_in_use(workstream_row(workstream_id)), now=now)


def check_intact(artifacts: Iterable[HandoffArtifact], *, now: datetime) -> Sequence[HandoffArtifact]:
    """Compare committed artifacts with the work tree and record what changed; answer with the damaged ones.

    Files that came back make the artifact usable again. Takes the workstream's lock only when something changed.
    """
    space = workspace()
    damaged = []
    for artifact in artifacts:
        problem = problem_of(space, artifact)
        if problem != artifact.problem:
            note_problem(artifact, problem, now)
        if problem:
            damaged.append(artifact)
    return damaged


def problem_of(space: Workspace, artifact: HandoffArtifact) -> str:
    """A sentence that names the first file that cannot be used, or ""."""
    for path, digest in expected_files(artifact).items():
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


def check_branch(*, workstream_id: int, now: datetime) -> None:
    """Before anything is added to the branch: it still has to hold what was recorded (F22 to F24).

    One look at the newest recorded commit, which all earlier ones lie behind. When it is gone, the artifact it
    announced and every handover in use whose commit is gone too are damaged, and what builds on them waits.
    """
    newest = _newest_recorded(workstream_id)
    space = workspace()
    if all(space.reaches(artifact.commit) for artifact in newest):
        return
    in_use = handovers_in_use(workstream_row(workstream_id))
    for artifact in {one.pk: one for one in (*newest, *in_use)}.values():
        if artifact.state == ArtifactState.COMMITTED and not space.reaches(artifact.commit):
            note_problem(artifact, _lost(artifact), now)


@Prepared
def _newest_recorded(workstream: int) -> QuerySet[HandoffArtifact]:
    rows = HandoffArtifact.objects.filter(workstream=workstream, state__in=STANDING).exclude(commit="")
    return rows.select_related("attempt").order_by("-committed_at", "-sequence")[:1]


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
            action="artifact damaged" if problem else "artifact intact again",
            subject=artifact.path,
            reason=problem,
            now=now,
        )
        if problem:
            ask_about_artifact(artifact, now)
        else:
            artifact_settled(artifact, "The file is intact again.", now)
        wake(workstream.pk)


def move(artifact: HandoffArtifact, state: ArtifactState, problem: str = "") -> bool:
    """Change the state of an artifact that nobody else has moved since it was read; the caller holds the lock."""
    moved = HandoffArtifact.objects.filter(pk=artifact.pk, state=artifact.state, problem=artifact.problem).update(
        state=state, problem=problem
    )
    if moved:
        artifact.state, artifact.problem = state, problem
    return bool(moved)
