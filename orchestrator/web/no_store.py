"""Browsers keep no answer at all, where the operator wants that: `NO_STORE=1` (FR-011)."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class NoStoreMiddleware:
    """Stands behind what serves static files, which hold nothing of anybody. What is for everybody says so
    itself, and is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.NO_STORE and "public" not in response.get("Cache-Control", ""):
            response["Cache-Control"] = "no-store"
        return response
