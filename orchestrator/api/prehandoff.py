"""The pre-handoff review: suspected duplicates, decisions about them, the signature (FR-003, AS-5, EC-5)."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.prehandoff import (
    DuplicateChoice,
    DuplicateChoices,
    DuplicateDecisionFacts,
    PrehandoffFacts,
    PrehandoffSignature,
    SuspectFacts,
)
from orchestrator.contract.values import Page
from orchestrator.core.terms import DuplicateOutcome, Scope, WorkstreamStatus
from orchestrator.models import DuplicateDecision, Workstream
from orchestrator.queries.work.duplicates import Suspect, signature_of, suspects
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.workstreams.duplicates import (
    decide_duplicate,
    decide_duplicates,
    why_duplicates_are_settled,
)
from orchestrator.services.workstreams.workstreams import sign_prehandoff

#: What an act answers with: the first suspects, undecided ones among them.
FIRST: Final = Page()
router = Routes(tags=["workstreams"])


@router.get("/{uuid:uuid}/suspects", response=PrehandoffFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest, uuid: UUID, query: Query[Page]) -> PrehandoffFacts:
    """Other workstreams with a similar title or the same files, undecided ones first.

    Nothing is decided by itself.
    """
    return _facts(find_workstream(uuid), query)


@router.post("/{uuid:uuid}/suspects", response=PrehandoffFacts)
@act(decide_duplicate)
def decide(request: HttpRequest, uuid: UUID, body: DuplicateChoice) -> PrehandoffFacts:
    """Merge, link, close or override, with the rationale, before any attempt is claimed."""
    decide_duplicate(
        workstream_id=find_workstream(uuid).pk,
        other_id=find_workstream(body.other).pk,
        outcome=body.outcome,
        rationale=body.rationale,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return _facts(find_workstream(uuid))


@router.post("/{uuid:uuid}/suspects/several", response=PrehandoffFacts)
@act(decide_duplicates)
def decide_several(request: HttpRequest, uuid: UUID, body: DuplicateChoices) -> PrehandoffFacts:
    """Link or override several suspects with one rationale, before any attempt is claimed; those that
    somebody decided about keep their decision."""
    decide_duplicates(
        workstream_id=find_workstream(uuid).pk,
        others=[find_workstream(other).pk for other in body.others],
        outcome=body.outcome,
        rationale=body.rationale,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return _facts(find_workstream(uuid))


@router.post("/{uuid:uuid}/prehandoff", response=PrehandoffFacts)
@act(sign_prehandoff)
def sign(request: HttpRequest, uuid: UUID, body: PrehandoffSignature) -> PrehandoffFacts:
    """Sign the review for the account of the token; refused while a suspect is undecided."""
    found = find_workstream(uuid)
    actor = caller_of(request).actor
    sign_prehandoff(workstream_id=found.pk, rationale=body.rationale, actor=actor, now=timezone.now())
    return _facts(found)


def _facts(workstream: Workstream, page: Page = FIRST) -> PrehandoffFacts:
    signature, found = signature_of(workstream), suspects(workstream)
    return PrehandoffFacts(
        count=len(found),
        undecided=sum(suspect.open for suspect in found),
        suspects=tuple(_suspect(suspect) for suspect in found[page.offset : page.offset + page.limit]),
        decidable=why_duplicates_are_settled(workstream) is None,
        signed_by=signature.signed_as if signature else "",
        signed_at=signature.signed_at if signature else None,
        rationale=signature.rationale if signature else "",
    )


def _suspect(suspect: Suspect) -> SuspectFacts:
    other = suspect.workstream
    decision = _decision(suspect.decision) if suspect.decision else None
    return SuspectFacts(
        other.uuid, other.slug, other.title, WorkstreamStatus(other.status), suspect.reasons, decision
    )


def _decision(made: DuplicateDecision) -> DuplicateDecisionFacts:
    by = made.decided_as
    return DuplicateDecisionFacts(DuplicateOutcome(made.outcome), made.rationale, by, made.decided_at)
