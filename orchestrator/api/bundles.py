"""Bundles: submit many plans as one, and read what became of them (AD-3)."""

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.bundles import BundleFacts, BundleText
from orchestrator.core.terms import Scope
from orchestrator.queries.workstreams.bundles import bundle_facts
from orchestrator.services.plans.bundles import PlanFile, submit_bundle

router = Routes(tags=["plans"])


@router.post("", response={201: BundleFacts})
@act(submit_bundle, status=201)
def submit(request: HttpRequest, body: BundleText) -> BundleFacts:
    """All or nothing: a refusal has the findings of every file in `files`."""
    submission = submit_bundle(
        name=body.name,
        files=[
            PlanFile(
                file.name,
                file.source.encode("utf-8", "surrogatepass"),
                file.format,
                adopt=body.adopt,
                leave_needs=body.leave_needs,
            )
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
