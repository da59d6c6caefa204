"""The workspace.

Whether its branch and the database belong together, and what is decided when they do not.
"""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import Settlement
from orchestrator.services.handoff.divergence import settle_divergence, workspace_facts
from orchestrator.web.acting import act_of, chosen, does, now, perform, typed, viewer
from orchestrator.web.show import show


@require_GET
def workspace(request: HttpRequest) -> HttpResponse:
    return workspace_page(request)


def workspace_page(request: HttpRequest, acted: str = "", refusal: Refusal | None = None) -> HttpResponse:
    who = viewer(request)
    context = {
        "facts": workspace_facts(now=now()),
        "why_not": who.lacks(settle_divergence),
        "acted": acted,
    }
    return show(request, "workspace/page.html", context, refusal=refusal)


@act_of("workspace")
def workspace_act(request: HttpRequest, act: str) -> HttpResponse:
    way = chosen({settlement.value: settlement for settlement in Settlement}, act)
    settle, again = partial(_settle, request, way), partial(workspace_page, request, act)
    return perform(request, settle, then=reverse("workspace"), again=again, several=True)


@does(settle_divergence)
def _settle(request: HttpRequest, way: Settlement) -> str:
    reason = typed(request, "reason")
    kept = settle_divergence(way=way, reason=reason, actor=viewer(request).actor, now=now())
    said = f" What the branch held before is kept as {kept}." if kept else ""
    return f"Workspace and database belong together again; work goes on.{said}"


urlpatterns: list[Any] = [
    path("workspace/", workspace, name="workspace"),
    path("workspace/acts/<slug:act>", workspace_act, name="workspace-act"),
]
