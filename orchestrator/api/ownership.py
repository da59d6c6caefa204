"""Who answers for a workstream or a task, and how that passed on (FR-011); which executor works in a thread
(WF-4)."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.ownership import OwnerChange, OwnershipFacts, ThreadChoice, ThreadFacts
from orchestrator.contract.values import NO_REASON, OptionalReason
from orchestrator.core.terms import Scope
from orchestrator.queries.engine.threads import thread_facts
from orchestrator.queries.work.ownership import task_ownership, workstream_ownership
from orchestrator.queries.work.task_facts import find_task
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.people import ownership
from orchestrator.services.people.threads import assign_thread, unassign_thread

router, threads = Routes(tags=["ownership"]), Routes(tags=["threads"])


@router.get("/tasks/{int:task_id}/owner", response=OwnershipFacts)
@needs(Scope.READ)
def owner_of_task(request: HttpRequest, task_id: int) -> OwnershipFacts:
    """The responsible role, the owner, and every transfer, newest first."""
    return task_ownership(find_task(task_id).id)


@router.post("/tasks/{int:task_id}/owner", response=OwnershipFacts)
@act(ownership.transfer_task)
def transfer_task(request: HttpRequest, task_id: int, body: OwnerChange) -> OwnershipFacts:
    ownership.transfer_task(
        task_id=task_id, to=body.to, reason=body.reason, actor=caller_of(request).actor, now=timezone.now()
    )
    return task_ownership(task_id)


@router.get("/workstreams/{uuid:uuid}/owner", response=OwnershipFacts)
@needs(Scope.READ)
def owner_of_workstream(request: HttpRequest, uuid: UUID) -> OwnershipFacts:
    return workstream_ownership(find_workstream(uuid))


@router.post("/workstreams/{uuid:uuid}/owner", response=OwnershipFacts)
@act(ownership.transfer_workstream)
def transfer_workstream(request: HttpRequest, uuid: UUID, body: OwnerChange) -> OwnershipFacts:
    ownership.transfer_workstream(
        workstream_id=find_workstream(uuid).pk,
        to=body.to,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_ownership(find_workstream(uuid))


@threads.get("/workstreams/{uuid:uuid}/threads/", response=list[ThreadFacts])
@needs(Scope.READ)
def thread_list(request: HttpRequest, uuid: UUID) -> list[ThreadFacts]:
    """Threads in which executors have work left, in plan order."""
    return list(thread_facts(find_workstream(uuid)))


@threads.post("/workstreams/{uuid:uuid}/threads/{int:thread_id}/assign", response=list[ThreadFacts])
@act(assign_thread)
def assign(request: HttpRequest, uuid: UUID, thread_id: int, body: ThreadChoice) -> list[ThreadFacts]:
    """`assigned`: the executor alone claims there; `preferred`: it is offered the work first."""
    workstream = find_workstream(uuid)
    assign_thread(
        workstream_id=workstream.pk,
        thread_id=thread_id,
        executor=body.executor,
        mode=body.mode,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return list(thread_facts(workstream))


@threads.post("/workstreams/{uuid:uuid}/threads/{int:thread_id}/unassign", response=list[ThreadFacts])
@act(unassign_thread)
def unassign(
    request: HttpRequest, uuid: UUID, thread_id: int, body: OptionalReason = NO_REASON
) -> list[ThreadFacts]:
    workstream = find_workstream(uuid)
    unassign_thread(
        workstream_id=workstream.pk,
        thread_id=thread_id,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return list(thread_facts(workstream))
