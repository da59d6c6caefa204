"""Which executor works in a thread (WF-4)."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.ownership import ThreadChoice, ThreadFacts
from orchestrator.contract.values import OptionalReason
from orchestrator.core.terms import Scope
from orchestrator.queries.engine.threads import thread_facts
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.people.threads import assign_thread, unassign_thread

router = Routes(tags=["threads"])


@router.get("/workstreams/{uuid:uuid}/threads/", response=list[ThreadFacts])
@needs(Scope.READ)
def listing(request: HttpRequest, uuid: UUID) -> list[ThreadFacts]:
    """Threads in which executors have work left, in plan order."""
    return list(thread_facts(find_workstream(uuid)))


@router.post("/workstreams/{uuid:uuid}/threads/{int:thread_id}/assign", response=list[ThreadFacts])
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


@router.post("/workstreams/{uuid:uuid}/threads/{int:thread_id}/unassign", response=list[ThreadFacts])
@act(unassign_thread)
def unassign(request: HttpRequest, uuid: UUID, thread_id: int, body: OptionalReason) -> list[ThreadFacts]:
    workstream = find_workstream(uuid)
    unassign_thread(
        workstream_id=workstream.pk,
        thread_id=thread_id,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return list(thread_facts(workstream))
