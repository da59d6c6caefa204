"""Operating: processes, queue, executors, workspace, history, database and disk at a glance."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.core.errors import NotFound
from orchestrator.services.base.history import checkpoint_of
from orchestrator.services.people.operating import operating_facts
from orchestrator.web.acting import now, viewer
from orchestrator.web.show import show

#: Executors on a page.
PER_PAGE = 50


@require_GET
def operating(request: HttpRequest) -> HttpResponse:
    facts = operating_facts(actor=viewer(request).actor, now=now())
    page = Paginator(facts.executors, PER_PAGE).get_page(request.GET.get("page"))
    return show(request, "site/operating.html", {"facts": facts, "now": facts.at, "page_obj": page})


@require_GET
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Number, time and hash of the last entry as a file: what `verify_history --checkpoint` takes."""
    facts = operating_facts(actor=viewer(request).actor, now=now())
    if facts.history is None:
        raise NotFound("The history has no entry yet.")
    response = JsonResponse(checkpoint_of(facts.history), json_dumps_params={"indent": 1})
    name = f"checkpoint-{facts.history.sequence}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


urlpatterns: list[Any] = [
    path("operating/", operating, name="operating"),
    path("operating/checkpoint.json", checkpoint, name="checkpoint"),
]
