"""Handoff artifacts and output files: the register, and the bytes as they stand in the workspace (FR-014)."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from orchestrator.api.acts import needs
from orchestrator.api.schemas import Page
from orchestrator.core.terms import Scope
from orchestrator.queries.artifact_facts import ArtifactList, find_artifact, find_output, list_artifacts

router = Router(tags=["artifacts"])


@router.get("/workstreams/{uuid:workstream}/artifacts/", response=ArtifactList)
@needs(Scope.READ)
def listing(request: HttpRequest, workstream: UUID, query: Query[Page]) -> ArtifactList:
    return list_artifacts(workstream, limit=query.limit, offset=query.offset)


@router.get("/artifacts/{int:artifact_id}/body")
@needs(Scope.READ)
def artifact_body(request: HttpRequest, artifact_id: int) -> HttpResponse:
    """The canonical JSON that its SHA-256 is over."""
    return HttpResponse(find_artifact(artifact_id).body, content_type="application/json")


@router.get("/outputs/{int:output_id}/body")
@needs(Scope.READ)
def output_body(request: HttpRequest, output_id: int) -> HttpResponse:
    """Served as a download: nobody knows what an executor wrote into it."""
    output = find_output(output_id)
    response = HttpResponse(bytes(output.content), content_type="application/octet-stream")
    response["Content-Disposition"] = "attachment"
    return response
