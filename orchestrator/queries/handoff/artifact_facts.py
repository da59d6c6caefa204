"""What machines read of handoff artifacts and the output files beside them (FR-014, AS-7)."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from orchestrator.contract.artifacts import ArtifactFacts, ArtifactList, OutputFacts
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import HandoffArtifact, OutputFile, Workstream


def list_artifacts(workstream: UUID, *, limit: int = 100, offset: int = 0) -> ArtifactList:
    """The artifacts of a workstream by sequence; NotFound when there is no such workstream."""
    rows = HandoffArtifact.objects.filter(workstream__uuid=workstream).order_by("sequence")
    if not Workstream.objects.filter(uuid=workstream).exists():
        raise NotFound("There is no such workstream.")
    return ArtifactList(rows.count(), facts_of(with_outputs(rows)[offset : offset + limit]))


def find_artifact(artifact_id: int) -> HandoffArtifact:
    artifact = HandoffArtifact.objects.filter(pk=artifact_id).first()
    if artifact is None:
        raise NotFound("There is no such artifact.")
    return artifact


def find_output(output_id: int) -> OutputFile:
    output = OutputFile.objects.filter(pk=output_id).first()
    if output is None:
        raise NotFound("There is no such output file.")
    return output


def with_outputs(artifacts: QuerySet[HandoffArtifact]) -> QuerySet[HandoffArtifact]:
    """The rows that `facts_of` reads, in two queries and without the contents."""
    outputs = OutputFile.objects.defer("content")
    return (
        artifacts.select_related("attempt__task__step")
        .defer("body")
        .prefetch_related(Prefetch("outputs", outputs))
    )


def facts_of(artifacts: Iterable[HandoffArtifact]) -> tuple[ArtifactFacts, ...]:
    return tuple(_facts(artifact) for artifact in artifacts)


def _facts(artifact: HandoffArtifact) -> ArtifactFacts:
    return ArtifactFacts(
        id=artifact.pk,
        sequence=artifact.sequence,
        event=EventType(artifact.event),
        step=artifact.attempt.task.step.key,
        attempt=artifact.attempt.number,
        path=artifact.path,
        sha256=artifact.sha256,
        state=ArtifactState(artifact.state),
        problem=artifact.problem,
        commit=artifact.commit,
        created_at=artifact.created_at,
        outputs=tuple(OutputFacts(o.pk, o.path, o.sha256) for o in artifact.outputs.all()),
    )
