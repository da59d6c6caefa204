"""Handoff artifacts and output files: the register, and the bytes as they stand in the workspace (FR-014)."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes, file_of
from orchestrator.contract.artifacts import ArtifactList, ArtifactRecovery
from orchestrator.contract.values import Page
from orchestrator.core.terms import Scope
from orchestrator.queries.handoff.artifact_facts import find_artifact, find_output, list_artifacts
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.work import recoveries

router = Routes(tags=["artifacts"])
WAYS = {
    "retry": recoveries.retry_artifact,
    "republish": recoveries.republish_artifact,
    "restore": recoveries.restore_artifact,
}


@router.get("/workstreams/{uuid:workstream}/artifacts/", response=ArtifactList)
@needs(Scope.READ)
def listing(request: HttpRequest, workstream: UUID, query: Query[Page]) -> ArtifactList:
    return list_artifacts(workstream, limit=query.limit, offset=query.offset)


@router.post("/artifacts/{int:artifact_id}/recover", response=ArtifactList)
@act(*WAYS.values(), recoveries.withdraw_artifact)
def recover(request: HttpRequest, artifact_id: int, body: ArtifactRecovery) -> ArtifactList:
    """One of the ways out of a damaged artifact; `withdraw` needs a reason.

    Answers with the workstream's artifacts.
    """
    actor, now = caller_of(request).actor, timezone.now()
    if body.way == "withdraw":
        recoveries.withdraw_artifact(artifact_id=artifact_id, reason=body.reason, actor=actor, now=now)
    else:
        WAYS[body.way](artifact_id=artifact_id, actor=actor, now=now)
    return list_artifacts(find_artifact(artifact_id).workstream.uuid)


@router.post("/workstreams/{uuid:workstream}/republish", response=ArtifactList)
@act(recoveries.republish_workstream)
def republish(request: HttpRequest, workstream: UUID) -> ArtifactList:
    """Write everything that was handed over again from the record, after the branch was rewritten."""
    found = find_workstream(workstream)
    recoveries.republish_workstream(
        workstream_id=found.pk, actor=caller_of(request).actor, now=timezone.now()
    )
    return list_artifacts(workstream)


@router.get(
    "/artifacts/{int:artifact_id}/body", openapi_extra=file_of("application/json", {"type": "object"})
)
@needs(Scope.READ)
def artifact_body(request: HttpRequest, artifact_id: int) -> HttpResponse:
    """The canonical JSON that its SHA-256 is over."""
    return HttpResponse(find_artifact(artifact_id).body, content_type="application/json")


@router.get(
    "/outputs/{int:output_id}/body", openapi_extra=file_of("application/octet-stream", {"type": "string"})
)
@needs(Scope.READ)
def output_body(request: HttpRequest, output_id: int) -> HttpResponse:
    """Served as a download: nobody knows what an executor wrote into it."""
    output = find_output(output_id)
    response = HttpResponse(bytes(output.content), content_type="application/octet-stream")
    response["Content-Disposition"] = "attachment"
    return response
