"""Gates: what waits for a signature, what came in, approve or reject (FR-006, BX-3, WF-5, DC-5)."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.engine import explain
from orchestrator.core.engine.explain import GATE_MEANINGS
from orchestrator.core.errors import MissingReason, Refusal
from orchestrator.core.terms import GateKind, TaskStatus
from orchestrator.models import GateReview, Task
from orchestrator.queries.engine.signatures import sign_off_of
from orchestrator.queries.work import gates as queries
from orchestrator.services.handoff.baseline import why_integrated
from orchestrator.services.plans.amendments import propose_stage
from orchestrator.services.review import gates
from orchestrator.services.work.signing import why_not_approve, why_not_decide
from orchestrator.web.acting import Viewer, act_of, does, now, off, perform, typed, viewer
from orchestrator.web.show import show


@require_GET
def gate_list(request: HttpRequest) -> HttpResponse:
    """Gates that wait for a signature first, then the decided ones."""
    context = {"waiting": queries.waiting_gates(), "decided": queries.decided_gates(), "now": now()}
    return show(request, "gates/list.html", context)


@require_GET
def gate(request: HttpRequest, task_id: int) -> HttpResponse:
    return gate_page(request, queries.find_gate(task_id))


@act_of("gate", "task_id")
def gate_decide(request: HttpRequest, task_id: int) -> HttpResponse:
    """Sign or reject; a rejection says why and where work returns to (AS-6)."""
    task = queries.find_gate(task_id)
    do = partial(_decide, request, task)
    return perform(request, do, then=reverse("gate", args=[task_id]), again=partial(gate_page, request, task))


@does(gates.reject_gate, gates.approve_gate)
def _decide(request: HttpRequest, task: Task) -> str:
    who, reason = viewer(request).actor, typed(request, "reason")
    if request.POST.get("decision") == "approve":
        follow_ups = typed(request, "follow_ups")
        review = gates.approve_gate(
            task_id=task.pk, actor=who, now=now(), reason=reason, follow_ups=follow_ups
        )
        return _signed(task, review)
    return_key = typed(request, "return_key")
    if not reason:
        raise MissingReason("A gate is rejected with a reason.", field="reason")
    if not return_key:
        raise MissingReason(
            "A rejection names the step that work returns to.",
            recovery="Choose the return step and reject again.",
            field="return_key",
        )
    gates.reject_gate(task_id=task.pk, return_key=return_key, reason=reason, actor=who, now=now())
    return f"{task.step.key} is rejected: work returns to {return_key} and everything after it is done again."


def _signed(task: Task, review: GateReview) -> str:
    key, version = task.step.key, review.follow_up_version
    task.refresh_from_db(fields=["status"])
    if task.status == TaskStatus.COMPLETE:
        said = f"{key} is approved: what stands behind it may start."
    else:
        said = f"Your signature on {key} is recorded; it {explain.waits_for_signatures(sign_off_of(task))}."
    return (
        f"{said} The follow-ups are version {version.number} of the plan, which waits for review."
        if version
        else said
    )


def gate_page(request: HttpRequest, task: Task, refusal: Refusal | None = None) -> HttpResponse:
    sheet = queries.gate_sheet(task)
    context = {
        "gate": task,
        "step": task.step,
        "workstream": task.workstream,
        "sheet": sheet,
        "meaning": GATE_MEANINGS[GateKind(task.step.gate_kind)],
        "why_not": _why_not(viewer(request), task, sheet),
    }
    return show(request, "gates/page.html", context, parts=frozenset({"decision"}), refusal=refusal)


def _why_not(who: Viewer, task: Task, sheet: queries.GateSheet) -> dict[str, str]:
    """Why signing or rejecting is off; empty text when it is on."""
    wait = "" if sheet.waits else explain.nothing_to_sign(sheet.row.sentence)
    if task.status == TaskStatus.COMPLETE:
        wait = "It is signed already; the decisions stand above."
    barred = off(why_not_decide(task, who.actor))
    asked = "" if barred else off(why_not_approve(task, who.actor))
    nowhere = (
        "" if sheet.return_steps else "No step before this gate was completed, so work cannot return to one."
    )
    closed = wait or barred
    return {
        "decide": closed,
        "approve": closed or asked,
        "reject": closed or nowhere or off(why_integrated(task.workstream)),
        "follow_ups": who.lacks(propose_stage),
    }


urlpatterns: list[Any] = [
    path("gates/", gate_list, name="gates"),
    path("gates/<int:task_id>/", gate, name="gate"),
    path("gates/<int:task_id>/decide", gate_decide, name="gate-decide"),
]
