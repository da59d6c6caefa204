"""What batches and merge points taught (BX-7)."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.learnings import LearningList, LearningNote
from orchestrator.core.terms import Scope
from orchestrator.queries.workstreams.learnings import learnings
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.workstreams.learnings import nothing_to_record, record_learning

router = Routes(tags=["learnings"])


@router.get("/workstreams/{uuid:uuid}/learnings", response=LearningList)
@needs(Scope.READ)
def listing(request: HttpRequest, uuid: UUID) -> LearningList:
    """What was recorded, and in `due` the batches and merge points that wait for a word."""
    return learnings(find_workstream(uuid))


@router.post("/workstreams/{uuid:uuid}/learnings", response=LearningList)
@act(record_learning, nothing_to_record)
def teach(request: HttpRequest, uuid: UUID, body: LearningNote) -> LearningList:
    """With `nothing` true it is recorded that there was nothing to record."""
    workstream, actor, now = find_workstream(uuid), caller_of(request).actor, timezone.now()
    if body.nothing:
        nothing_to_record(workstream=workstream, after=body.after, actor=actor, now=now)
    else:
        record_learning(
            workstream=workstream,
            after=body.after,
            went_wrong=body.went_wrong,
            worked=body.worked,
            tighten=body.tighten,
            actor=actor,
            now=now,
        )
    return learnings(workstream)
