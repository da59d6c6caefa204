"""What did a batch or merge point teach? Asked once it is done, until somebody answers (BX-7)."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import Refusal
from orchestrator.models import Workstream
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.queries.workstreams.learnings import lesson
from orchestrator.services.workstreams.learnings import nothing_to_record, record_learning
from orchestrator.web.acting import does, now, perform, typed, viewer
from orchestrator.web.show import show


@require_http_methods(["GET", "HEAD", "POST"])
def learning(request: HttpRequest, uuid: UUID, after: str) -> HttpResponse:
    """The question with the facts it starts from; a POST answers it."""
    found = find_workstream(uuid)
    if request.method != "POST":
        return _form(request, found, after)
    again = partial(_form, request, found, after)
    return perform(
        request, lambda: _answer(request, found, after), then=reverse("workstream", args=[uuid]), again=again
    )


@does(record_learning, nothing_to_record)
def _answer(request: HttpRequest, found: Workstream, after: str) -> str:
    actor, asked = viewer(request).actor, lesson(found, after).after
    if request.POST.get("answer") == "nothing":
        nothing_to_record(workstream=found, after=asked, actor=actor, now=now())
        return f"Recorded: {after} taught nothing new."
    record_learning(
        workstream=found,
        after=asked,
        went_wrong=typed(request, "went_wrong"),
        worked=typed(request, "worked"),
        tighten=typed(request, "tighten"),
        actor=actor,
        now=now(),
    )
    return "The learning is recorded: it stands in LEARNINGS.md and in every brief from now on."


def _form(
    request: HttpRequest, found: Workstream, after: str, refusal: Refusal | None = None
) -> HttpResponse:
    asked = lesson(found, after)
    prefilled = "\n".join(f"- {fact}" for fact in asked.facts)
    context = {
        "workstream": found,
        "lesson": asked,
        "went_wrong": request.POST.get("went_wrong", prefilled),
        "worked": request.POST.get("worked", ""),
        "tighten": request.POST.get("tighten", ""),
        "why_not": viewer(request).lacks(record_learning),
    }
    return show(request, "learnings/page.html", context, refusal=refusal)


urlpatterns: list[Any] = [path("workstreams/<uuid:uuid>/learnings/<path:after>/", learning, name="learning")]
