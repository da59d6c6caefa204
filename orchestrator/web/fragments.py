"""A page, or only the part of it that htmx asked for, from one view."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def page_or_part(
    request: HttpRequest, template: str, part: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """`template`, or its partial `part` for an htmx request that does not restore history."""
    htmx = getattr(request, "htmx", None)
    partial = bool(htmx and not htmx.history_restore_request and not htmx.boosted)
    response = render(request, f"{template}#{part}" if partial else template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response
