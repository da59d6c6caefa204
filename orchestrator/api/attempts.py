"""Attempts: claim, report, complete, fail; after the claim every call carries its fencing token (FR-027)."""

import base64
import binascii
import functools
from collections.abc import Callable

import pydantic_core
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.attempts import (
    AdditionFacts,
    AttemptFacts,
    AttemptFailure,
    Breadcrumb,
    ClaimFacts,
    Completion,
    Encoded,
    NewSteps,
    VerificationQuery,
)
from orchestrator.contract.places import PlaceFacts, PlaceToken
from orchestrator.contract.values import StatedReason, UsageGiven
from orchestrator.core.engine.usage import Usage, read_usage
from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import Scope, VerificationState
from orchestrator.queries.work.additions import addition_facts
from orchestrator.queries.work.attempt_facts import attempt_facts, claim_facts
from orchestrator.queries.work.places import place_of_attempt
from orchestrator.services.review import additions
from orchestrator.services.verified import verified_attempt
from orchestrator.services.work import claims, completions, failures, places, releases

router = Routes(tags=["attempts"])


@router.post("/{int:attempt_id}/claim", response=ClaimFacts)
@act(claims.claim)
def claim(request: HttpRequest, attempt_id: int) -> ClaimFacts:
    """Exclusive: one caller gets the attempt and its token, every other one 409 with the holder in `details`.

    Whoever holds the attempt and claims it once more is answered with the same token: nothing changes.
    """
    caller = caller_of(request)
    assignment = claims.claim(
        attempt_id=attempt_id, executor=caller.executor, actor=caller.actor, now=timezone.now()
    )
    return claim_facts(assignment)


@router.get("/{int:attempt_id}/place", response=PlaceFacts)
@needs(Scope.READ)
def place(request: HttpRequest, attempt_id: int) -> PlaceFacts:
    """Where the attempt works: worktree, branch, the commits before it, and what stands in the way."""
    return place_of_attempt(attempt_id)


@router.post("/{int:attempt_id}/place", response=PlaceFacts)
@act(places.take_place)
def take_place(request: HttpRequest, attempt_id: int, body: PlaceToken) -> PlaceFacts:
    """Make the worktree, or go on with the merge that stands open in it; one that is there is left as it
    is."""
    caller = caller_of(request)
    places.take_place(
        attempt_id=attempt_id,
        token=body.token,
        executor=caller.executor,
        actor=caller.actor,
        now=timezone.now(),
    )
    return place_of_attempt(attempt_id)


@router.post("/{int:attempt_id}/report", response=AttemptFacts)
@act(claims.report)
def report(request: HttpRequest, attempt_id: int, body: Breadcrumb) -> AttemptFacts:
    """Leave a breadcrumb: what was done last, for whoever continues."""
    claims.report(
        attempt_id=attempt_id,
        token=body.token,
        executor=caller_of(request).executor,
        actor=caller_of(request).actor,
        breadcrumb=body.breadcrumb,
        usage=_usage(body.usage),
        now=timezone.now(),
    )
    return attempt_facts(attempt_id)


@router.post("/{int:attempt_id}/release", response=AttemptFacts)
@act(releases.release)
def release(request: HttpRequest, attempt_id: int, body: Breadcrumb) -> AttemptFacts:
    """Give the attempt back without a failure: it is cancelled, and another one is queued for anybody.

    The breadcrumb says how far it is.
    """
    releases.release(
        attempt_id=attempt_id,
        token=body.token,
        executor=caller_of(request).executor,
        actor=caller_of(request).actor,
        breadcrumb=body.breadcrumb,
        usage=_usage(body.usage),
        now=timezone.now(),
    )
    return attempt_facts(attempt_id)


def _status(facts: AttemptFacts) -> int:
    return 202 if facts.verification and facts.verification.state is VerificationState.PENDING else 200


def _waiting(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Behind the act and its idempotency key, wait for the result of a completion that is being verified."""

    @functools.wraps(view)
    def waited(request: HttpRequest, attempt_id: int, body: Completion) -> HttpResponse:
        answer = view(request, attempt_id=attempt_id, body=body)
        if answer.status_code != 202 or not body.wait:
            return answer
        facts = verified_attempt(attempt_id, body.wait)
        return HttpResponse(
            pydantic_core.to_json(facts), status=_status(facts), content_type="application/json"
        )

    return waited


@router.get("/{int:attempt_id}/verification", response=AttemptFacts)
@needs(Scope.READ)
def verification(request: HttpRequest, attempt_id: int, query: Query[VerificationQuery]) -> AttemptFacts:
    """What became of the last completion of the attempt; `wait` waits so many seconds while it is being
    verified. VerificationFailed when it was red."""
    return verified_attempt(attempt_id, query.wait)


@router.post("/{int:attempt_id}/complete", response={200: AttemptFacts, 202: AttemptFacts})
@_waiting
@act(completions.complete, status=_status)
def complete(request: HttpRequest, attempt_id: int, body: Completion) -> AttemptFacts:
    """Finish with evidence for every exit criterion.

    The outputs are committed beside the handoff artifact. Where a command proves the step it is run on the
    commit first: 202 while `verification` is pending, and the completion counts when it is green. With `wait`
    the answer comes when it has ended, or so many seconds later.
    """
    completions.complete(
        attempt_id=attempt_id,
        token=body.token,
        executor=caller_of(request).executor,
        actor=caller_of(request).actor,
        outcome=body.outcome,
        evidence=body.evidence,
        outputs={name: _content(name, output) for name, output in body.outputs.items()},
        commit=body.commit,
        result=body.result,
        usage=_usage(body.usage),
        now=timezone.now(),
    )
    return attempt_facts(attempt_id)


@router.post("/{int:attempt_id}/steps", response=AdditionFacts)
@act(additions.add_steps)
def steps(request: HttpRequest, attempt_id: int, body: NewSteps) -> AdditionFacts:
    """Add steps behind the running one, within the limit of its plan; they are in force at once."""
    added = additions.add_steps(
        attempt_id=attempt_id,
        token=body.token,
        executor=caller_of(request).executor,
        actor=caller_of(request).actor,
        tasks=body.tasks,
        reason=body.reason,
        now=timezone.now(),
    )
    return addition_facts(added.version, added.keys, added.left)


@router.post("/{int:attempt_id}/fail", response=AttemptFacts)
@act(failures.fail)
def fail(request: HttpRequest, attempt_id: int, body: AttemptFailure) -> AttemptFacts:
    """Declare the attempt failed; the task waits until somebody re-queues it."""
    failures.fail(
        attempt_id=attempt_id,
        token=body.token,
        executor=caller_of(request).executor,
        actor=caller_of(request).actor,
        error=body.error,
        usage=_usage(body.usage),
        now=timezone.now(),
    )
    return attempt_facts(attempt_id)


@router.post("/{int:attempt_id}/declare-failure", response=AttemptFacts)
@act(failures.declare_failure)
def declare_failure(request: HttpRequest, attempt_id: int, body: StatedReason) -> AttemptFacts:
    """Say that a running attempt will not finish, for example because its executor died.

    Takes no token of it.
    """
    failures.declare_failure(
        attempt_id=attempt_id, reason=body.reason, actor=caller_of(request).actor, now=timezone.now()
    )
    return attempt_facts(attempt_id)


def _usage(given: UsageGiven | None) -> Usage:
    return read_usage(given.model_dump() if given else None)


def _content(name: str, output: str | Encoded) -> bytes:
    if isinstance(output, str):
        return output.encode()
    try:
        return base64.b64decode(output.base64, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"The output {name!r} is not valid base64.", field="outputs") from None
