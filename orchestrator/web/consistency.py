"""Consistency: whether database, workspace and repositories say the same, and what fixes it (LC-12)."""

from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import Refusal
from orchestrator.core.files.consistency import MEANINGS
from orchestrator.services.handoff.consistency import consistency_facts
from orchestrator.services.handoff.restoring import restore_consistency
from orchestrator.web.acting import act_of, does, now, perform, viewer
from orchestrator.web.show import show

PER_PAGE = 50


@require_GET
def consistency(request: HttpRequest) -> HttpResponse:
    return consistency_page(request)


@act_of("consistency")
def consistency_fix(request: HttpRequest) -> HttpResponse:
    fix, again = partial(_fix, request), partial(consistency_page, request)
    return perform(request, fix, then=reverse("consistency"), again=again, several=True)


@does(restore_consistency)
def _fix(request: HttpRequest) -> str:
    facts = restore_consistency(actor=viewer(request).actor, now=now())
    done = sum(not fix.problem for fix in facts.fixes)
    left = "; ".join(f"{fix.code} {fix.subject}: {fix.problem}" for fix in facts.fixes[:5] if fix.problem)
    said = f"{done} finding{'' if done == 1 else 's'} fixed. The history says where what was replaced is."
    return f"{said} Not fixed: {left}" if left else said


def consistency_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    facts = consistency_facts(now=now())
    context = {
        "facts": facts,
        "page_obj": Paginator(facts.findings, PER_PAGE).get_page(request.GET.get("page")),
        "codes": [(kind.value, meaning) for kind, meaning in MEANINGS.items()],
        "why_not": viewer(request).lacks(restore_consistency),
    }
    return show(request, "workspace/consistency.html", context, refusal=refusal)


urlpatterns: list[Any] = [
    path("workspace/consistency/", consistency, name="consistency"),
    path("workspace/consistency/fix", consistency_fix, name="consistency-fix"),
]
