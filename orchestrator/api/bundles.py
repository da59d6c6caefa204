"""Bundles: submit many plans as one, and read what became of them (AD-3)."""

from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field, StrictBool

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.core.terms import Format, Scope
from orchestrator.queries.workstreams.bundles import BundleFacts, bundle_facts
from orchestrator.services.plans.bundles import MOST, PlanFile, submit_bundle

router = Router(tags=["plans"])


class FileText(Schema):
    """Other plans of the bundle may need this one by its name without the ending."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    source: str
    format: Format | None = None


class BundleText(Schema):
    """With `adopt`, approval takes over the state that the sources tell of their tasks."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    files: Annotated[list[FileText], Field(min_length=1, max_length=MOST)]
    adopt: StrictBool = False


@router.post("", response={201: BundleFacts})
@act(Scope.MANAGE, status=201)
def submit(request: HttpRequest, body: BundleText) -> BundleFacts:
    """All or nothing: a refusal has the findings of every file in `files`."""
    submission = submit_bundle(
        name=body.name,
        files=[
            PlanFile(file.name, file.source.encode("utf-8", "surrogatepass"), file.format, body.adopt)
            for file in body.files
        ],
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return bundle_facts(submission.bundle.pk)


@router.get("/{int:bundle_id}", response=BundleFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest, bundle_id: int) -> BundleFacts:
    """The members in the order of submission, with their state and what they need."""
    return bundle_facts(bundle_id)
