"""Every refusal becomes a page (or JSON) that says what happened and the way out.

Nobody sees a traceback (FR-025).
"""

import sys
from collections.abc import Callable

from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.defaults import server_error as something_broke

from orchestrator.core.errors import (
    TRY_AGAIN,
    DatabaseUnavailable,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refusal,
    TooLarge,
)
from orchestrator.core.faults import SomethingBroke
from orchestrator.core.limits import MIB, REQUEST_BYTES, RETRY_SECONDS
from orchestrator.services.base.outages import UNSTORABLE, outage_in, unstorable
from orchestrator.web.show import retried

Handler = Callable[[HttpRequest], HttpResponse]
#: What a person does, who has no idempotency key.
LOOK_FIRST = (
    "Wait a few seconds, open the page again and look at the current state before you repeat what you did."
)


class RefusalMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if announced(request) > REQUEST_BYTES:
            return refused(request, too_large())
        if "\x00" in request.path_info:
            return not_found(request, Http404())
        if "%00" in request.META.get("QUERY_STRING", ""):
            return refused(request, unstorable())
        response = self.get_response(request)
        if response.status_code in TRY_AGAIN and "Retry-After" not in response:
            response["Retry-After"] = str(RETRY_SECONDS)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal):
            return refused(request, exception)
        if outage := outage_in(exception):
            return unavailable(request, outage)
        return refused(request, unstorable()) if isinstance(exception, UNSTORABLE) else None


def announced(request: HttpRequest) -> int:
    """Bytes that the request says it brings.

    The web server has decided already, this is for any other one.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        return 0
    return int(length) if len(length) < 19 else REQUEST_BYTES + 1


def too_large() -> TooLarge:
    return TooLarge(f"The request has more than {REQUEST_BYTES // MIB} MiB; it was not read.")


def refused(request: HttpRequest, refusal: Refusal, status: int | None = None) -> HttpResponse:
    """JSON for machines, a notice above the open page for htmx (what was typed stays), else a page."""
    code = status or refusal.status
    if _from_machine(request):
        return retried(JsonResponse(refusal.as_dict(), status=code), refusal)
    context = {"refusal": refusal, "back": _page_before(request)}
    if not getattr(request, "htmx", False):
        return retried(render(request, "site/refused.html", context, status=code), refusal)
    response = render(request, "site/refused.html#refusal", context, status=code)
    return retried(_among_notices(response), refusal)


def unavailable(request: HttpRequest, refusal: DatabaseUnavailable) -> HttpResponse:
    """The same without asking the database for anything: not who looks, not what waits for them."""
    if _from_machine(request):
        return retried(JsonResponse(refusal.as_dict(), status=refusal.status), refusal)
    if refusal.way_out == DatabaseUnavailable.recovery:
        refusal = DatabaseUnavailable(refusal.message, recovery=LOOK_FIRST)
    return told(refusal, htmx=bool(getattr(request, "htmx", False)))


def told(refusal: Refusal, *, htmx: bool) -> HttpResponse:
    """A refusal for a person by which nothing is asked of the database, nor of an unread request."""
    template = "site/unavailable.html#refusal" if htmx else "site/unavailable.html"
    response = HttpResponse(render_to_string(template, {"refusal": refusal}), status=refusal.status)
    return retried(_among_notices(response) if htmx else response, refusal)


def _from_machine(request: HttpRequest) -> bool:
    """Whether the answer is read as JSON, as at a REST address that was refused on its way there."""
    return (
        request.path.startswith("/api/")
        or "Authorization" in request.headers
        or not request.accepts("text/html")
    )


def _among_notices(response: HttpResponse) -> HttpResponse:
    response["HX-Retarget"], response["HX-Reswap"] = "#notices", "innerHTML show:window:top"
    response["HX-Push-Url"] = "false"
    return response


def _page_before(request: HttpRequest) -> str:
    """Where the person came from, when that is one of our own pages."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if ours and before != request.build_absolute_uri() else ""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django also says 400 for what is too large, and for a session that could not be stored."""
    if outage := outage_in(exception):
        return unavailable(request, outage)
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return refused(
            request, TooLarge("The form has more in it than a form may have.", recovery="Send less at once.")
        )
    if _host_is_foreign(request):
        return _foreign_host(request)
    refusal = InvalidInput(
        "The request could not be read.", recovery="Go back, reload the page and try again."
    )
    return refused(request, refusal, 400)


def _foreign_host(request: HttpRequest) -> HttpResponse:
    """Most who read this have just put the server behind a name of their own, so it says what to set."""
    refusal = InvalidInput(
        "This server does not answer to the host name that the request is for.",
        recovery="Use the address that it was set up for, or have the operator add the name to "
        "ALLOWED_HOSTS.",
    )
    return JsonResponse(refusal.as_dict(), status=400) if _from_machine(request) else _plain(refusal, 400)


def _host_is_foreign(request: HttpRequest) -> bool:
    """A page needs our own host name; a request for a foreign one gets plain text."""
    try:
        request.get_host()
    except DisallowedHost:
        return True
    return False


def _plain(refusal: Refusal, status: int) -> HttpResponse:
    return HttpResponse(f"{refusal.message} {refusal.way_out}\n", content_type="text/plain", status=status)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, NotAllowed(str(exception) or "You may not open this page."))


def server_error(request: HttpRequest) -> HttpResponse:
    """What was raised outside of a view, such as while finding out who is signed in, ends here."""
    error = sys.exc_info()[1]
    if outage := outage_in(error):
        return unavailable(request, outage)
    if isinstance(error, UNSTORABLE):
        return _plain(unstorable(), 400)
    if _from_machine(request):
        broke = SomethingBroke("Something broke here that nobody expected.")
        return JsonResponse(broke.as_dict(), status=broke.status)
    return something_broke(request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it
    refusal = NotFound(
        "There is no page at this address.", recovery="Check the address, or start from the inbox."
    )
    return refused(request, refusal)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django passes it
    """A form that is too old, or sent from another site."""
    refusal = NotAllowed(
        "The form was not accepted, because it was opened too long ago or comes from another site.",
        recovery="Open the page again and repeat what you did; nothing was changed.",
    )
    return refused(request, refusal)
