"""Add a stage to work in flight: a fix stage behind an evaluation, or tasks for gaps (WF-5, LC-3).

A fix stage takes three clicks: the gate's page leads to a form that is prefilled from what failed, the form
to the review of the version that it submits, the approval there puts it into effect.
"""

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from orchestrator.contract.gates import FixDraft
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import StepKind
from orchestrator.models import Task, Workstream
from orchestrator.queries.changes.fix_stage import fix_draft
from orchestrator.queries.plans.sign_offs import who_may_approve
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.services.base.form_keys import Made
from orchestrator.services.plans.amendments import base_of, propose_stage
from orchestrator.services.work.planned_signatures import gate_of, why_not_sign_ahead
from orchestrator.web.acting import Viewer, does, now, off, proceed, typed, viewer
from orchestrator.web.once import once
from orchestrator.web.show import show


@require_http_methods(["GET", "HEAD", "POST"])
def new_stage(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The form; a POST submits a new version with the stage and leads to its review."""
    found = find_workstream(uuid)
    if request.method != "POST":
        return _form(request, found)
    try:
        made = once(request, partial(_propose, request, found))
    except Refusal as refusal:
        return _form(request, found, refusal)
    return proceed(request, made)


@does(propose_stage)
def _propose(request: HttpRequest, found: Workstream) -> Made:
    version = propose_stage(
        workstream=found,
        name=typed(request, "name"),
        tasks=typed(request, "tasks"),
        reason=typed(request, "reason"),
        gate_key=typed(request, "gate"),
        sign_gate=bool(request.POST.get("sign_gate")),
        actor=viewer(request).actor,
        now=now(),
    ).version
    said = (
        f"Version {version.number} with the new stage waits for approval; work goes on under the "
        f"approved version."
    )
    return Made(said, reverse("plan-review", args=[version.workflow.slug, version.number]))


def _form(request: HttpRequest, found: Workstream, refusal: Refusal | None = None) -> HttpResponse:
    given, who = request.POST or request.GET, viewer(request)
    gate = gate_of(found, given.get("gate", ""))
    draft = _draft(found, gate)
    context = {
        "workstream": found,
        "gate": given.get("gate", ""),
        "gate_task": gate,
        "draft": draft,
        "name": given.get("name", draft.name if draft else ""),
        "tasks": given.get("tasks", draft.tasks if draft else ""),
        "reason": given.get("reason", draft.reason if draft else ""),
        "sign_gate": request.method != "POST" or bool(request.POST.get("sign_gate")),
        "why_not_sign": _why_not_sign(who, gate),
        "approvers": who_may_approve(found.version.workflow, who.user.pk),
        "why_not": who.lacks(propose_stage),
    }
    return show(request, "workstreams/new_stage.html", context, refusal=refusal)


def _draft(found: Workstream, gate: Task | None) -> FixDraft | None:
    return fix_draft(gate, base_of(found)) if gate and gate.step.kind == StepKind.GATE else None


def _why_not_sign(who: Viewer, gate: Task | None) -> str:
    """Why the gate is not signed together with the fix stage; empty text when it can be."""
    if gate is None:
        return ""
    return off(why_not_sign_ahead(gate, who.actor))


urlpatterns = [path("workstreams/<uuid:uuid>/new-stage/", new_stage, name="new-stage")]
