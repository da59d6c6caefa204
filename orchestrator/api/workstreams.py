"""Workstreams: list, inspect, accept, re-open, archive, priority, tasks for gaps.

Requirements: FR-002, LC-3, LC-9, LC-10, AD-3.
"""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.places import MergedFacts, MergePreview, MergeQuery, MergeSeal
from orchestrator.contract.plans import SubmissionFacts
from orchestrator.contract.values import StatedReason
from orchestrator.contract.why import WhyFacts
from orchestrator.contract.workstreams import (
    BudgetChange,
    IntegrationNote,
    PriorityChange,
    RevertNote,
    StageText,
    StatusChange,
    WorkstreamFacts,
    WorkstreamList,
    WorkstreamQuery,
)
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import IntegrationSource, Scope
from orchestrator.queries.gates.integration import merge_preview
from orchestrator.queries.work.tasks import find_task
from orchestrator.queries.work.tasks import find_workstream as find_row
from orchestrator.queries.workstreams.workstream_facts import (
    find_workstream,
    list_workstreams,
    workstream_detail,
)
from orchestrator.services.freeing import why_workstream
from orchestrator.services.handoff import baseline
from orchestrator.services.handoff.integrating import merge_work
from orchestrator.services.plans.amendments import propose_stage
from orchestrator.services.workstreams.budgets import set_budget
from orchestrator.services.workstreams.closing import close_workstream
from orchestrator.services.workstreams.priorities import set_priority
from orchestrator.services.workstreams.workstreams import reopen_workstream
from orchestrator.web.plans.submission_facts import submission_facts

router = Routes(tags=["workstreams"])


@router.get("/", response=WorkstreamList, url_name="workstreams")
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[WorkstreamQuery]) -> WorkstreamList:
    return list_workstreams(
        status=query.status,
        domain=query.domain,
        slug=query.slug,
        limit=query.limit,
        offset=query.offset,
    )


@router.get("/{uuid:uuid}/", response=WorkstreamFacts, url_name="workstream")
@needs(Scope.READ)
def inspect(request: HttpRequest, uuid: UUID) -> WorkstreamFacts:
    """With every task in launch order and why it stands where it stands."""
    return workstream_detail(uuid)


@router.get("/{uuid:uuid}/why/", response=WhyFacts, url_name="workstream-why")
@needs(Scope.READ)
def why(request: HttpRequest, uuid: UUID) -> WhyFacts:
    """Why the workstream is not moving (FR-015).

    The chain from its most urgent front task, or from what holds all of it, to its root.
    """
    return why_workstream(find_row(uuid), timezone.now())


@router.patch("/{uuid:uuid}/", response=WorkstreamFacts)
@act(close_workstream)
def change(request: HttpRequest, uuid: UUID, body: StatusChange) -> WorkstreamFacts:
    """`{"status": "completed"}` accepts a finished workstream; `{"status": "archived"}` archives it."""
    close_workstream(
        workstream=uuid,
        status=body.status,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/reopen", response=WorkstreamFacts)
@act(reopen_workstream)
def reopen(request: HttpRequest, uuid: UUID, body: StatedReason) -> WorkstreamFacts:
    """Take an acceptance back because a gap was found; the workstream is active again."""
    found = find_workstream(uuid)
    actor = caller_of(request).actor
    reopen_workstream(workstream_id=found.pk, reason=body.reason, actor=actor, now=timezone.now())
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/priority", response=WorkstreamFacts)
@act(set_priority)
def prioritise(request: HttpRequest, uuid: UUID, body: PriorityChange) -> WorkstreamFacts:
    """It stays until a version of the plan changes the priority that the plan gives."""
    set_priority(
        workstream_id=find_workstream(uuid).pk,
        priority=body.priority,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/budget", response=WorkstreamFacts)
@act(set_budget)
def budget(request: HttpRequest, uuid: UUID, body: BudgetChange) -> WorkstreamFacts:
    """It stays until a version of the plan changes the budget that the plan gives; what it held goes on."""
    set_budget(
        workstream_id=find_workstream(uuid).pk,
        budget=body.budget,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/stages", response={201: SubmissionFacts})
@act(propose_stage, status=201)
def add_stage(request: HttpRequest, uuid: UUID, body: StageText) -> SubmissionFacts:
    """Submit a new version with one more stage: a fix stage behind a gate, or tasks for gaps (WF-5, LC-3)."""
    submission = propose_stage(
        workstream=find_workstream(uuid),
        name=body.name,
        tasks=body.tasks,
        reason=body.reason,
        gate_key=body.gate,
        sign_gate=body.sign_gate,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return submission_facts(submission)


@router.post("/{uuid:uuid}/integration", response=WorkstreamFacts)
@act(baseline.integrate)
def integrate(request: HttpRequest, uuid: UUID, body: IntegrationNote) -> WorkstreamFacts:
    """Record that the work became part of its base branch; rework needs a revert decision from then on."""
    baseline.integrate(
        workstream_id=find_workstream(uuid).pk,
        source=IntegrationSource.API,
        commit=body.commit,
        note=body.note,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/integration/look", response=WorkstreamFacts)
@act(baseline.look)
def look(request: HttpRequest, uuid: UUID) -> WorkstreamFacts:
    """Record the integration when the repository's base branch holds all of the work."""
    baseline.look(workstream_id=find_workstream(uuid).pk, actor=caller_of(request).actor, now=timezone.now())
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/revert", response=WorkstreamFacts)
@act(baseline.revert)
def revert(request: HttpRequest, uuid: UUID, body: RevertNote) -> WorkstreamFacts:
    """A person decides that integrated work is reverted; afterwards it may be sent back and done again."""
    baseline.revert(
        workstream_id=find_workstream(uuid).pk,
        reason=body.reason,
        commit=body.commit,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)


@router.get("/{uuid:uuid}/merge", response=MergePreview)
@needs(Scope.READ)
def merge(request: HttpRequest, uuid: UUID, query: Query[MergeQuery]) -> MergePreview:
    """What merging the completed work into the base branch would change; with the key of a `gate` only what
    came to it."""
    found = find_row(uuid)
    shown = merge_preview(found, find_task(found, query.gate) if query.gate else None)
    if shown is None:
        raise NotFound("The plan names no repository, or it is not on this machine.")
    return shown


@router.post("/{uuid:uuid}/merge", response=MergedFacts)
@act(merge_work)
def merge_it(request: HttpRequest, uuid: UUID, body: MergeSeal) -> MergedFacts:
    """Merge the work that `GET …/merge` showed (`seen` is its `seal`), or have the operator's program do it.
    Off unless the operator switched it on."""
    said = merge_work(
        workstream_id=find_workstream(uuid).pk,
        seen=body.seen,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return MergedFacts(said)
