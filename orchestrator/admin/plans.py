"""Workflows, their versions and steps, and the policies."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from orchestrator.admin.read_only import NamedValues, NoDelete, ReadOnly
from orchestrator.admin.site import site
from orchestrator.models import Approval, CheckRule, Policy, PolicyChange, Step, Workflow, WorkflowVersion
from orchestrator.services.base.actor import Actor
from orchestrator.services.review.workflows import change_workflow


@admin.register(Workflow, site=site)
class WorkflowAdmin(NoDelete):
    """Name, domain and the rules of approval can change; a workflow begins with a plan, never here."""

    list_display = (
        "slug",
        "name",
        "domain",
        "allow_self_approval",
        "required_approvals",
        "created_by",
        "created_at",
    )
    list_filter = (("domain", NamedValues), "allow_self_approval")
    list_select_related = ("created_by",)
    search_fields = ("slug", "name")
    readonly_fields = ("slug", "created_by", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Workflow, form: Any, change: bool) -> None:
        """Through the service, so that the change stands in the history."""
        change_workflow(
            workflow_id=obj.pk,
            name=obj.name,
            domain=obj.domain,
            allow_self_approval=obj.allow_self_approval,
            required_approvals=obj.required_approvals,
            demands_proof=obj.demands_proof,
            proof_roles=obj.proof_roles,
            proof_paths=obj.proof_paths,
            actor=Actor.person(request.user),  # type: ignore[arg-type]
            now=timezone.now(),
        )


@admin.register(WorkflowVersion, site=site)
class WorkflowVersionAdmin(ReadOnly):
    list_display = (
        "workflow",
        "number",
        "status",
        "submitted_as",
        "submitted_at",
        "decided_as",
        "decided_at",
    )
    list_filter = ("status",)
    list_select_related = ("workflow", "author", "decided_by")
    search_fields = ("workflow__slug", "workflow__name", "source_sha256")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("source")


@admin.register(Approval, site=site)
class ApprovalAdmin(ReadOnly):
    list_display = ("version", "signed_as", "signed_at", "sha256")
    list_select_related = ("version__workflow", "person")
    search_fields = ("version__workflow__slug", "person__username", "sha256")


@admin.register(Step, site=site)
class StepAdmin(ReadOnly):
    list_display = ("key", "title", "version", "kind", "gate_kind", "role", "tool")
    list_filter = ("kind", "gate_kind")
    list_select_related = ("version__workflow",)
    search_fields = ("key", "title", "version__workflow__slug")


@admin.register(Policy, site=site)
class PolicyAdmin(ReadOnly):
    list_display = ("slug", "title", "updated_at")
    search_fields = ("slug", "title")


@admin.register(PolicyChange, site=site)
class PolicyChangeAdmin(ReadOnly):
    list_display = ("policy", "changed_as", "reason", "changed_at")
    list_select_related = ("policy", "author")
    list_filter = ("policy",)


@admin.register(CheckRule, site=site)
class CheckRuleAdmin(ReadOnly):
    list_display = ("code", "severity", "changed_as", "changed_at", "reason")
    list_select_related = ("changed_by",)
    list_filter = ("severity",)
