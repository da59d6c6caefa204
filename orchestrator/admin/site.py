"""The administration's own site: only what is registered here is reachable, in the order people look for it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from orchestrator.models import (
    AccessToken,
    Approval,
    Assignment,
    Attempt,
    Blocker,
    Bundle,
    DuplicateDecision,
    Executor,
    GateReview,
    HandoffArtifact,
    HistoryEntry,
    Intervention,
    Learning,
    OwnershipTransfer,
    Policy,
    PolicyChange,
    PreHandoffReview,
    SchedulingDecision,
    Step,
    Task,
    ThreadAssignment,
    Workflow,
    WorkflowVersion,
    Workstream,
    WorkstreamNeed,
)

AREAS: dict[str, tuple[type, ...]] = {
    "Workflows and plans": (Workflow, WorkflowVersion, Step, Bundle, Policy, PolicyChange),
    "Work": (Workstream, WorkstreamNeed, Task, Attempt, Assignment, ThreadAssignment, SchedulingDecision),
    "Decisions of people": (
        Approval,
        PreHandoffReview,
        DuplicateDecision,
        GateReview,
        Intervention,
        Blocker,
        OwnershipTransfer,
        Learning,
    ),
    "Audit records": (HistoryEntry, HandoffArtifact),
    "Executors": (Executor, AccessToken),
}
PEOPLE = "People and roles"


class OrchestratorAdminSite(admin.AdminSite):
    site_header = "Orchestrator administration (times in UTC)"
    site_title = "Orchestrator administration"
    index_title = "What there is"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """One block per area instead of one per Django app."""
        offered = {m["model"]: m for app in super().get_app_list(request, app_label) for m in app["models"]}
        areas = [(name, [offered.pop(model) for model in models if model in offered]) for name, models in AREAS.items()]
        areas.append((PEOPLE, list(offered.values())))
        return [_block(name, models) for name, models in areas if models]


def _block(name: str, models: list[Any]) -> dict[str, Any]:
    label = name.lower().replace(" ", "-")
    return {
        "name": name,
        "app_label": label,
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": models,
    }


site = OrchestratorAdminSite(name="admin")
