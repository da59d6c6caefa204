"""How a route runs an act: scope, then the act once per idempotency key, then its facts as JSON."""

import functools
from collections.abc import Callable
from typing import Any

import pydantic_core
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from orchestrator.api.auth import caller_of
from orchestrator.api.refusals import refused
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import Scope
from orchestrator.services.base.acts import Act
from orchestrator.services.base.idempotency import (
    SERVER_ERROR,
    Answer,
    answer_in_steps,
    answer_once,
    request_digest,
)
from orchestrator.services.base.masking import noticing, with_notice

View = Callable[..., Any]
Acts = tuple[Act[..., Any], ...]


def needs(scope: Scope) -> Callable[[View], View]:
    """Refuse callers whose token lacks the scope."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def scoped(request: HttpRequest, **values: Any) -> Any:
            caller_of(request).require(scope)
            return view(request, **values)

        return scoped

    return decorate


def act(*acts: Act[..., Any], status: int | Callable[[Any], int] = 200) -> Callable[[View], View]:
    """A route that does one of these acts: whoever may do none of them, by scope or role, is refused first.

    With an `Idempotency-Key` header its repetition answers as the first time. `status` is the one of a good
    answer, or says it of the facts.
    """
    in_steps = any(asked_act.declaration.in_steps for asked_act in acts)
    answered = answer_in_steps if in_steps else answer_once

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def acted(request: HttpRequest, **values: Any) -> HttpResponse:
            caller = caller_of(request)
            caller.require_scope_of(*acts)
            key = request.headers.get("Idempotency-Key")
            run = functools.partial(_answer, acts, view, request, values, status)
            if key is None:
                return _response(run())
            answer = answered(
                executor=caller.executor,
                key=key,
                digest=request_digest(str(request.method).encode(), request.path.encode(), request.body),
                now=timezone.now(),
                act=functools.partial(_settled, run),
            )
            return _response(answer)

        acted.__dict__["takes_key"] = True
        acted.__dict__["acts"] = acts
        return acted

    return decorate


def _answer(
    acts: Acts,
    view: View,
    request: HttpRequest,
    values: dict[str, Any],
    status: int | Callable[[Any], int],
) -> Answer:
    caller_of(request).require_role_for(*acts)
    with noticing() as masked:
        facts = view(request, **values)
    code = status(facts) if callable(status) else status
    body = with_notice(pydantic_core.to_json(facts).decode(), masked)
    return Answer(code, body, kept=not getattr(facts, "retry_after", 0))


def _settled(run: Callable[[], Answer]) -> Answer:
    """A refusal is an answer too, unless it only says "try again"."""
    try:
        return run()
    except Refusal as refusal:
        if refusal.retry_after or refusal.status >= SERVER_ERROR:
            raise
        return Answer(refusal.status, refused(refusal).content.decode())


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type="application/json")
