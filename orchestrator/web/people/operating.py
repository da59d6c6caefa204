"""Operating: processes, queue, executors, workspace, history, database and disk at a glance."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

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


urlpatterns: list[Any] = [
    path("operating/", operating, name="operating"),
]
