"""A version as files to take along: as it was submitted, and in every form that plans are written in.

Requirements: WF-2, AD-5.
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.core.errors import NotFound
from orchestrator.core.files.write import Written, render_as
from orchestrator.queries.plans.plans import find_version
from orchestrator.queries.plans.readings import plan_of, plan_text

SOURCE: Final = "source.txt"
#: What the text was made from, where it was opened from another one.
ORIGIN: Final = "origin.txt"
#: What the file is called -> the form that is written; a PLAN.md that was submitted as one stays as it is.
FORMS: Final = {
    "PLAN.md": Written.PLAN,
    "plan.json": Written.PLAN_FILE,
    "tasks.json": Written.TASKS,
    "EXECUTION-DASHBOARD.md": Written.DASHBOARD,
}


@require_GET
def plan_download(_request: HttpRequest, slug: str, version: int, name: str) -> HttpResponse:
    """One file, saved under the plan's slug and version; whatever stands in it, no browser runs it."""
    found = find_version(slug, version)
    if name == SOURCE:
        text = found.source
    elif name == ORIGIN and found.origin:
        text = found.origin
    elif name not in FORMS:
        raise NotFound(f"There is no file {name!r}.", recovery=f"Take one of {', '.join((SOURCE, *FORMS))}.")
    else:
        text = plan_text(found) if FORMS[name] is Written.PLAN else render_as(plan_of(found), FORMS[name])
    kind = "application/json" if name.endswith(".json") else "text/plain"
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-v{version}-{name}"'
    return response


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/files/<str:name>", plan_download, name="plan-download"),
]
