"""Interventions: amber cards for tasks that wait for a person, each with an answer and Mark done.

Requirements: LC-7, DC-5.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import NotFound, Refusal
from orchestrator.core.terms import InterventionKind
from orchestrator.models import Intervention
from orchestrator.queries.work import interventions as queries
from orchestrator.services.people.interventions import clear_human_flag, why_not_answer
from orchestrator.web.acting import act_of, does, now, off, perform, typed, viewer
from orchestrator.web.polling import mark_at, tasks_are_open, unchanged
from orchestrator.web.show import show

PER_PAGE = 50


@require_GET
def intervention_list(request: HttpRequest) -> HttpResponse:
    mark = mark_at(now())
    return unchanged(request, "cards", mark) or interventions_page(request, mark=mark)


@act_of("interventions")
def intervention_done(request: HttpRequest, intervention_id: int) -> HttpResponse:
    """Mark done; with htmx the lists come back without the card; a refusal keeps card and answer."""
    intervention = Intervention.objects.filter(pk=intervention_id).first()
    if intervention is None:
        raise NotFound("There is no such intervention.")

    clear = partial(_clear, request, intervention)
    again = partial(interventions_page, request, intervention_id)
    if request.htmx:  # type: ignore[attr-defined]
        return _without_card(request, clear, again)
    return perform(request, clear, then=reverse("interventions"), again=again)


@does(clear_human_flag)
def _clear(request: HttpRequest, intervention: Intervention) -> str:
    answer, who = answer_typed(request), viewer(request).actor
    clear_human_flag(task_id=intervention.task_id, answer=answer, actor=who, now=now(), seen=intervention.pk)
    return answered(intervention.kind)


def answer_typed(request: HttpRequest) -> str:
    """What was written, or else chosen."""
    return typed(request, "other") or typed(request, "answer")


def answered(kind: str) -> str:
    """What is said after an answer."""
    if kind == InterventionKind.BREAKER:
        return "Done. Your answer is in the history; failures count anew, and the step can be queued again."
    return "Done. Your answer is in the history and work goes on."


def _without_card(
    request: HttpRequest, clear: Callable[[], str], again: Callable[[Refusal], HttpResponse]
) -> HttpResponse:
    try:
        said = clear()
    except Refusal as refusal:
        return again(refusal)
    return interventions_page(request, said=said)


def interventions_page(
    request: HttpRequest,
    acted: int | None = None,
    refusal: Refusal | None = None,
    said: str = "",
    mark: str = "",
) -> HttpResponse:
    """`mark` is how things stand, where it was asked already."""
    who = viewer(request)
    mark, waiting = mark or mark_at(now()), queries.open_interventions()
    context = {
        "open": [(one, off(why_not_answer(one, who.actor))) for one in waiting],
        "acted_is_open": any(intervention.pk == acted for intervention in waiting),
        "page_obj": Paginator(queries.cleared_interventions(), PER_PAGE).get_page(request.GET.get("page")),
        "acted": acted,
        "said": said,
        "mark": mark,
        "live": bool(waiting) or tasks_are_open(),
        "now": now(),
    }
    return show(request, "interventions/list.html", context, parts=frozenset({"cards"}), refusal=refusal)


urlpatterns: list[Any] = [
    path("interventions/", intervention_list, name="interventions"),
    path("interventions/<int:intervention_id>/done", intervention_done, name="intervention-done"),
]
