"""How a request is answered by whose account something is to be done before all else (FR-011)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from orchestrator.core.errors import Refusal
from orchestrator.web.refusals import refused


def owed(request: HttpRequest, refusal: Refusal, page: str) -> HttpResponse:
    """Who reads is led to the page where it is done; whatever else is asked is refused."""
    if request.path.startswith("/api/"):
        return JsonResponse(refusal.as_dict(), status=refusal.status)
    if request.method in {"GET", "HEAD"} and request.accepts("text/html"):
        return redirect(page)
    return refused(request, refusal)
