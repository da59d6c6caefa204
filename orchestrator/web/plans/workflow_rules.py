"""The rules of a workflow: who approves its versions, how many, and what it is called.

With their change log (WF-3).
"""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import Refusal
from orchestrator.core.plans.text.front_matter import MOST_APPROVALS
from orchestrator.queries.plans.workflow_rules import rule_changes
from orchestrator.services.review.workflows import change_workflow
from orchestrator.web.acting import does, now, number, perform, typed, viewer
from orchestrator.web.plans.workflows import find_workflow
from orchestrator.web.show import show


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """The form and the log; a POST changes what differs."""
    if request.method != "POST":
        return _page(request, slug)
    do, again = partial(_change, request, slug), partial(_page, request, slug)
    return perform(request, do, then=reverse("workflow-rules", args=[slug]), again=again)


@does(change_workflow)
def _change(request: HttpRequest, slug: str) -> str:
    changed = change_workflow(
        workflow_id=find_workflow(slug).pk,
        name=typed(request, "name"),
        domain=typed(request, "domain"),
        allow_self_approval=bool(request.POST.get("allow_self_approval")),
        required_approvals=number(request, "required_approvals"),
        demands_proof=bool(request.POST.get("demands_proof")),
        proof_roles=typed(request, "proof_roles"),
        proof_paths=typed(request, "proof_paths"),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    return f"The rules of {changed.name} are kept; its versions in review are decided by them from now on."


def _page(request: HttpRequest, slug: str, refusal: Refusal | None = None) -> HttpResponse:
    workflow = find_workflow(slug)
    given = request.POST if refusal else {}
    context = {
        "workflow": workflow,
        "name": given.get("name", workflow.name),
        "domain": given.get("domain", workflow.domain),
        "required_approvals": given.get("required_approvals", workflow.required_approvals),
        "allow_self_approval": bool(given.get("allow_self_approval"))
        if refusal
        else workflow.allow_self_approval,
        "demands_proof": bool(given.get("demands_proof")) if refusal else workflow.demands_proof,
        "proof_roles": given.get("proof_roles", workflow.proof_roles),
        "proof_paths": given.get("proof_paths", workflow.proof_paths),
        "reason": given.get("reason", ""),
        "most": MOST_APPROVALS,
        "changes": list(rule_changes(workflow)),
        "why_not": viewer(request).lacks(change_workflow),
    }
    return show(request, "workflows/rules.html", context, refusal=refusal)


urlpatterns: list[Any] = [path("plans/<slug:slug>/rules/", rules, name="workflow-rules")]
