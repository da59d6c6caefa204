"""Every refusal becomes a page (or JSON) that says what happened and the way out; nobody sees a traceback (FR-025)."""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from orchestrator.core.errors import InvalidInput, NotAllowed, NotFound, Refusal, TooManyTries

Handler = Callable[[HttpRequest], HttpResponse]


class RefusalMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refused(request, exception) if isinstance(exception, Refusal) else None


def refused(request: HttpRequest, refusal: Refusal, status: int | None = None) -> HttpResponse:
    """JSON for machines, a notice above the open page for htmx (what was typed stays), a page for everyone else."""
    response = _answer(request, refusal, status or refusal.status)
    if isinstance(refusal, TooManyTries):
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _answer(request: HttpRequest, refusal: Refusal, code: int) -> HttpResponse:
    if not request.accepts("text/html"):
        return JsonResponse(refusal.as_dict(), status=code)
    context = {"refusal": refusal, "back": _page_before(request)}
    if not getattr(request, "htmx", False):
        return render(request, "site/refused.html", context, status=code)
    response = render(request, "site/refused.html#refusal", context, status=code)
    response["HX-Retarget"], response["HX-Reswap"] = "#notices", "innerHTML show:window:top"
    response["HX-Push-Url"] = "false"
    return response


def _page_before(request: HttpRequest) -> str:
    """Where the person came from, when that is one of our own pages."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if ours and before != request.build_absolute_uri() else ""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it
    refusal = InvalidInput("The request could not be read.", recovery="Go back, reload the page and try again.")
    return _plain(refusal, 400) if _host_is_foreign(request) else refused(request, refusal, 400)


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it
    refusal = NotFound("There is no page at this address.", recovery="Check the address, or start from the inbox.")
    return refused(request, refusal)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django passes it
    """A form that is too old, or sent from another site."""
    refusal = NotAllowed(
        "The form was not accepted, because it was opened too long ago or comes from another site.",
        recovery="Open the page again and repeat what you did; nothing was changed.",
    )
    return refused(request, refusal)
