"""The interface as a page: every address with what it does, made from the description (FR-027).

No sign-in is needed, as for the description itself: both say how to ask, and nothing of what is stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from orchestrator.core.limits import LIMITS


@dataclass(frozen=True)
class Described:
    """One operation as the page shows it."""

    method: str
    address: str
    does: str
    takes: str
    statuses: str


def docs_page(api: NinjaAPI) -> Callable[[HttpRequest], HttpResponse]:
    @cache
    def sections() -> dict[str, list[Described]]:
        return _sections(api.get_openapi_schema(path_prefix="/api/"))

    @login_not_required
    @require_safe
    @cache_control(public=True, max_age=3600)
    def page(request: HttpRequest) -> HttpResponse:
        return render(request, "site/interface.html", {"sections": sections(), "limits": LIMITS})

    return page


def _sections(schema: Mapping[str, Any]) -> dict[str, list[Described]]:
    found: dict[str, list[Described]] = {}
    for address, methods in schema["paths"].items():
        for method, one in methods.items():
            found.setdefault(one["tags"][0], []).append(_described(method, address, one))
    return {tag: found[tag] for tag in sorted(found)}


def _described(method: str, address: str, one: Mapping[str, Any]) -> Described:
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    query = [row["name"] for row in one.get("parameters", ()) if row["in"] == "query"]
    takes = body.get("$ref", "").rpartition("/")[2] or ", ".join(query)
    said = one.get("description") or one.get("summary", "")
    return Described(method.upper(), address, said, takes, " ".join(map(str, one["responses"])))
