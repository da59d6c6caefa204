"""Every refusal as JSON, with its status: code, message, recovery, details (FR-025)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from orchestrator.core.errors import (
    InvalidInput,
    NotFound,
    NotSignedIn,
    Refusal,
    TooLarge,
)
from orchestrator.core.wrong_values import what_is_wrong
from orchestrator.queries.plans.refusal_facts import refusal_facts
from orchestrator.services.base.outages import OUTAGES, UNSTORABLE, outage, unstorable

#: What can end a call other than an answer; each becomes a refusal.
EXPECTED = (Refusal, ValidationError, HttpError, Http404, RequestDataTooBig, *OUTAGES, *UNSTORABLE)

#: Wrong fields that are named with what is wrong, and characters of a name that is repeated.
NAMED, LONGEST_NAME = 6, 100
#: What stands in the place of an error and is no name: the mark of an object's key, and the kinds of a value
#: that may be one of several, of which the first says what it should have been.
_NO_NAMES: Final = frozenset({"[key]", "str", "Encoded"})
#: What a caller without a page does next, where the class of a refusal speaks to people at one; by its code.
_WITHOUT_A_PAGE: Final[Mapping[str, str]] = {
    "refused": "Read it again: its state has changed. Then decide; `next` finds other work.",
    "wrong-state": "Read it again: its state has changed. Then decide; `next` finds other work.",
}


def refusal_of(error: Exception) -> Refusal:
    """The refusal that says the same as an error of the framework; re-raises what nobody expected."""
    match error:
        case Refusal():
            return error
        case ValidationError():
            return _invalid(error)
        case Http404():
            return NotFound("There is nothing at this address.")
        case RequestDataTooBig():
            return TooLarge("The body is too large.")
        case OperationalError() | InterfaceError():
            return outage(error)
        case DataError() | OverflowError():
            return unstorable()
        case HttpError():
            return error.__cause__ if isinstance(error.__cause__, Refusal) else InvalidInput(error.message)
    raise error


def refused(refusal: Refusal) -> HttpResponse:
    """The answer of every machine interface to an act that does not apply."""
    facts = refusal_facts(refusal)
    if refusal.way_out == refusal.recovery:
        facts = replace(facts, recovery=_WITHOUT_A_PAGE.get(refusal.code, facts.recovery))
    response = JsonResponse(asdict(facts), status=refusal.status)
    if isinstance(refusal, NotSignedIn):
        response["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def refuse_in_json(api: NinjaAPI) -> None:
    handler: Callable[[HttpRequest, Any], HttpResponse] = lambda _request, error: refused(refusal_of(error))  # noqa: E731
    for expected in EXPECTED:
        api.add_exception_handler(expected, handler)


def _invalid(error: ValidationError) -> InvalidInput:
    """Names the wrong fields, the first `NAMED` of them with what is wrong."""
    said: dict[str, str] = {}
    for one in error.errors:
        said.setdefault(_field(one), what_is_wrong(one))
    told = "; ".join(f"{field}: {wrong}" for field, wrong in list(said.items())[:NAMED])
    others = len(said) - NAMED
    more = f" ({others} more {'field is' if others == 1 else 'fields are'} wrong.)" if others > 0 else ""
    return InvalidInput(f"{told}.{more}", field=next(iter(said)))


def _field(error: Mapping[str, Any]) -> str:
    place = [str(part) for part in error["loc"][1:] if part not in _NO_NAMES]
    inside = place[1:] if error["loc"][0] == "body" and len(place) > 1 else place
    return ".".join(inside)[:LONGEST_NAME] or str(error["loc"][0])
