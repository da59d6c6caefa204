"""The library over REST: look up, save a plan as a workflow, start a workstream, archive (AD-8)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.library import (
    LibraryFacts,
    LibraryQuery,
    NewWorkflow,
    WorkflowFacts,
    WorkflowStart,
)
from orchestrator.contract.plans import SubmissionFacts
from orchestrator.contract.values import StatedReason
from orchestrator.core.changes.parametrise import NewParameter
from orchestrator.core.terms import Scope
from orchestrator.queries.plans.library_facts import library_facts, workflow_facts
from orchestrator.queries.plans.plans import find_version
from orchestrator.services.plans import saved_workflows as service
from orchestrator.web.plans.submission_facts import submission_facts

router = Routes(tags=["library"])


@router.get("", response=LibraryFacts)
@needs(Scope.READ)
def look_up(request: HttpRequest, query: Query[LibraryQuery]) -> LibraryFacts:
    """The workflows that work can be started from, saved ones first."""
    return library_facts(query.q, archived=query.archived)


@router.get("/{slug:name}", response=WorkflowFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest, name: str, version: int | None = None) -> WorkflowFacts:
    """One workflow with its text, in its newest version or in the one asked for."""
    return workflow_facts(name, version)


@router.post("", response={201: WorkflowFacts})
@act(service.save_workflow, status=201)
def save(request: HttpRequest, body: NewWorkflow) -> WorkflowFacts:
    """Save an approved plan as a workflow with parameters."""
    done = service.save_workflow(
        version=find_version(body.plan, body.version),
        name=body.name,
        description=body.description,
        parameters=[
            NewParameter(parameter.name, parameter.text, parameter.hint) for parameter in body.parameters
        ],
        of=body.of,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workflow_facts(done.workflow.slug)


@router.post("/{slug:name}/workstreams", response={201: SubmissionFacts})
@act(service.start_from_workflow, status=201)
def start(request: HttpRequest, name: str, body: WorkflowStart) -> SubmissionFacts:
    """Submit the plan that the workflow makes with these values; people review it like any other."""
    submission = service.start_from_workflow(
        name=name,
        values=body.values,
        wanted_effective_at=body.wanted_effective_at,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return submission_facts(submission)


@router.post("/{slug:name}/archive", response=WorkflowFacts)
@act(service.archive_workflow)
def archive(request: HttpRequest, name: str, body: StatedReason) -> WorkflowFacts:
    """Take a saved workflow out of the library; it stays on record."""
    service.archive_workflow(
        name=name, reason=body.reason, actor=caller_of(request).actor, now=timezone.now()
    )
    return workflow_facts(name)


@router.post("/{slug:name}/bring-back", response=WorkflowFacts)
@act(service.bring_back_workflow)
def bring_back(request: HttpRequest, name: str, body: StatedReason) -> WorkflowFacts:
    """Put an archived workflow back."""
    service.bring_back_workflow(
        name=name, reason=body.reason, actor=caller_of(request).actor, now=timezone.now()
    )
    return workflow_facts(name)
