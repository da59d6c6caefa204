"""Save an approved plan as a workflow: which texts become parameters, and what comes of it (AD-8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from orchestrator.core.changes.parametrise import NewParameter, places_of, suggest_parameters, unfilled
from orchestrator.core.errors import Refusal
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.models import WorkflowVersion
from orchestrator.queries.plans.library import open_saved
from orchestrator.queries.plans.plans import find_version
from orchestrator.queries.plans.readings import plan_text
from orchestrator.services.base.form_keys import Made
from orchestrator.services.plans import saved_workflows as service
from orchestrator.web.acting import does, now, proceed, typed, viewer
from orchestrator.web.once import once
from orchestrator.web.show import show

#: Rows for further parameters; Preview adds as many as were filled in.
EMPTY_ROWS = 3
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A line of the form.

    Whether it is used, and how often its text stands in the plan (None: not looked for).
    """

    name: str = ""
    text: str = ""
    hint: str = ""
    used: bool = False
    places: int | None = None


@require_http_methods(["GET", "HEAD", "POST"])
def save_as_workflow(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """The form with suggestions. Preview shows the text that would be kept and stores nothing."""
    shown = find_version(slug, version)
    if request.method != "POST":
        return _page(request, shown, _suggested(shown))
    rows: list[ParameterRow] = []
    try:
        rows = _typed_rows(request)
        parameters = [NewParameter(row.name, row.text, row.hint) for row in rows if row.used]
        if request.POST.get("act") == "preview":
            return _page(request, shown, rows, source=service.parametrised(shown, parameters))
        made = once(request, partial(_save, request, shown, parameters))
    except Refusal as refusal:
        return _page(request, shown, rows, refusal=refusal)
    return proceed(request, made)


@does(service.save_workflow)
def _save(request: HttpRequest, shown: WorkflowVersion, parameters: Sequence[NewParameter]) -> Made:
    done = service.save_workflow(
        version=shown,
        name=typed(request, "name"),
        description=typed(request, "description"),
        parameters=parameters,
        of=typed(request, "of"),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    said = f"{done.workflow} v{done.number} is in the library; work can be started from it."
    return Made(said, reverse("library-entry", args=[done.workflow.slug]))


def _suggested(version: WorkflowVersion) -> list[ParameterRow]:
    if service.why_not_saved(version):
        return []
    found = suggest_parameters(plan_text(version))
    return [ParameterRow(one.name, one.text, one.hint, True, one.places) for one in found]


def _typed_rows(request: HttpRequest) -> list[ParameterRow]:
    """The rows that hold something; a row with a text is used unless its box was there and is not ticked."""
    found = []
    for n in range(MOST_ROWS):
        name, text, hint = (typed(request, f"{field}-{n}") for field in ("name", "text", "hint"))
        if name or text:
            found.append(
                ParameterRow(name, text, hint, f"use-{n}" in request.POST or f"new-{n}" in request.POST)
            )
    return found


def _page(
    request: HttpRequest,
    version: WorkflowVersion,
    rows: Sequence[ParameterRow],
    refusal: Refusal | None = None,
    source: str = "",
) -> HttpResponse:
    given = request.POST
    why_not = service.why_not_saved(version)
    context = {
        "version": version,
        "rows": [] if why_not else _counted(version, rows),
        "empty_rows": range(len(rows), len(rows) + EMPTY_ROWS),
        "kept_parameters": [] if why_not else unfilled(plan_text(version)).parameters,
        "saved": open_saved(),
        "of": given.get("of", ""),
        "name": given.get("name", version.workflow.name),
        "description": given.get("description", ""),
        "reason": given.get("reason", ""),
        "lines": [(n, text, "{{" in text) for n, text in enumerate(split_lines(source.rstrip("\n")), 1)]
        if source
        else [],
        "why_not": why_not or viewer(request).lacks(service.save_workflow),
    }
    return show(request, "library/save.html", context, parts=frozenset({"saving"}), refusal=refusal)


def _counted(version: WorkflowVersion, rows: Sequence[ParameterRow]) -> list[ParameterRow]:
    plan = unfilled(plan_text(version))
    return [
        ParameterRow(row.name, row.text, row.hint, row.used, places_of(plan, row.text) if row.text else None)
        for row in rows
    ]


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/save/", save_as_workflow, name="save-workflow"),
]
