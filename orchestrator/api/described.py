"""The description of the interface: what the operations declare, the refusals that all of them share, and the
same as a page (FR-025, FR-027).

Declared on each operation the refusals would be as many models as operations times statuses, and making them
two thirds of the start of every process that serves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from pydantic import TypeAdapter

from orchestrator.api.routes import REFUSALS
from orchestrator.core.limits import LIMITS

PLACE: Final = "#/components/schemas/{model}"


class DescribedApi(NinjaAPI):
    """Ninja's own, whose description also has each operation's refusals (FR-025)."""

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        described = super().get_openapi_schema(**where)
        answers, schemas = _refusals()
        described["components"]["schemas"].update(schemas)
        for operations in described["paths"].values():
            for operation in operations.values():
                operation["responses"].update(answers)
                _name_body(operation)
        return described


def _name_body(operation: dict[str, Any]) -> None:
    """A body that may be left out is named like any other; ninja wraps it together with its default."""
    body = operation.get("requestBody", {})
    content = body.get("content", {}).get("application/json", {})
    wrapped = content.get("schema", {}).get("allOf")
    if wrapped:
        content["schema"], body["required"] = wrapped[0], False


@cache
def _refusals() -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    """What an operation's `responses` have of refusals, by status, and the schemas that they refer to."""
    answers, schemas = {}, {}
    for status, hint in sorted(REFUSALS.items()):
        schema = TypeAdapter(hint).json_schema(mode="serialization", ref_template=PLACE)
        schemas.update(schema.pop("$defs", {}))
        if "title" in schema and schema.get("type") == "object":
            schemas[schema["title"]] = schema
            schema = {"$ref": PLACE.format(model=schema["title"])}
        content = {"application/json": {"schema": schema}}
        answers[status] = {"description": HTTPStatus(status).phrase, "content": content}
    return answers, schemas


@dataclass(frozen=True)
class Described:
    """One operation as the page shows it."""

    method: str
    address: str
    does: str
    takes: str
    statuses: str


def docs_page(api: NinjaAPI) -> Callable[[HttpRequest], HttpResponse]:
    """The interface as a page: every address with what it does. No sign-in is needed, as for the description
    itself: both say how to ask, and nothing of what is stored."""

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
