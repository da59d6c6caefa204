"""What machines send in the clear where there is TLS is refused, so that somebody notices (ASVS 4.1.2)."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from orchestrator.services.people.callers import sent_in_the_clear


class InTheClearMiddleware:
    """Stands before what redirects: a person's browser is sent on once and remembers, a program would go on
    sending its token readable with every call."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and _holds_a_token(request):
            refusal = sent_in_the_clear()
            return JsonResponse(refusal.as_dict(), status=refusal.status)
        return self.get_response(request)


def _holds_a_token(request: HttpRequest) -> bool:
    """REST, a page that is called with a token, and a feed, whose address holds its key."""
    machine = request.path.startswith("/api/") or request.path.endswith(".atom")
    return machine or "Authorization" in request.headers
