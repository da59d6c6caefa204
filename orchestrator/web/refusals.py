"""Every refusal becomes a page (or JSON) that says what happened and the way out; nobody sees a traceback (FR-025)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from orchestrator.core.errors import Refusal

Handler = Callable[[HttpRequest], HttpResponse]


class RefusalMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        if not request.accepts("text/html"):
            return JsonResponse(exception.as_dict(), status=exception.status)
        return render(request, "site/refused.html", {"refusal": exception}, status=exception.status)
