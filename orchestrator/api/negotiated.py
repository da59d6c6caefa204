"""Seed 003's addresses: one URL, a page for people and JSON for machines (LC-6, LC-9)."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from orchestrator.api.root import routes
from orchestrator.web.admission import admitted
from orchestrator.web.work.tasks import task_by_id
from orchestrator.web.workstreams.workstreams import workstream_page

View = Callable[..., HttpResponse]


def wants_json(request: HttpRequest) -> bool:
    """A token, an act, or a client that likes JSON better than HTML."""
    if "Authorization" in request.headers or request.method not in {"GET", "HEAD"}:
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def negotiated(route: str, page: View) -> View:
    """The API's view of that name for machines, the page for signed-in people."""
    for_people = login_required(admitted(page))

    @login_not_required
    @csrf_exempt
    def view(request: HttpRequest, **values: Any) -> HttpResponse:
        response = routes[route](request, **values) if wants_json(request) else for_people(request, **values)
        patch_vary_headers(response, ["Accept", "Authorization"])
        return response

    return view


def tasks_page(request: HttpRequest) -> HttpResponse:
    """People find the tasks that wait for somebody among the interventions, the others in their inbox."""
    return redirect("interventions" if "needs_human" in request.GET else "inbox")


urlpatterns = [
    path("workstreams/<uuid:uuid>/", negotiated("workstream", workstream_page), name="workstream"),
    path("tasks/", negotiated("tasks", tasks_page), name="task-list"),
    path("tasks/<int:task_id>/", negotiated("task", task_by_id), name="task-address"),
]
