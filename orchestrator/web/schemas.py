"""The JSON Schemas of what is read and written here, at addresses that never change (AD-5).

No sign-in is needed.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

FOLDER: Final = Path(__file__).resolve().parent.parent / "schema"


@cache
def published() -> dict[tuple[str, str], bytes]:
    """(name, version) -> the file; both stand at the end of its `$id`."""
    files = [path.read_bytes() for path in sorted(FOLDER.glob("*.schema.json"))]
    return {tuple(json.loads(data)["$id"].rsplit(":", 2)[1:]): data for data in files}


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def schema_list(_request: HttpRequest) -> HttpResponse:
    """Every schema with its address."""
    rows = [
        {"name": name, "version": version, "url": reverse("schema", args=[name, version])}
        for name, version in published()
    ]
    return JsonResponse({"schemas": rows})


@login_not_required
@require_safe
@cache_control(public=True, max_age=86400)
def schema(_request: HttpRequest, name: str, version: str) -> HttpResponse:
    data = published().get((name, version))
    if data is None:
        raise Http404(f"There is no schema {name} {version}.")
    return HttpResponse(data, content_type="application/schema+json")


urlpatterns: list[Any] = [
    path("schema/", schema_list, name="schemas"),
    path("schema/<slug:name>/<str:version>.json", schema, name="schema"),
]
