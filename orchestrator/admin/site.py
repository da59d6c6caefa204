"""The administration's own site.

Only what is registered here is reachable, in the order people look for it.
"""

from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme

from orchestrator.core.errors import NotAllowed
from orchestrator.models import (
    AccessToken,
    Approval,
    Assignment,
    Attempt,
    BaselineIntegration,
    Blocker,
    Bundle,
    CheckRule,
    Delivery,
    DuplicateDecision,
    Executor,
    GateReview,
    HandoffArtifact,
    HistoryEntry,
    Intervention,
    Learning,
    MappedStep,
    Migration,
    OwnershipTransfer,
    Policy,
    PolicyChange,
    PreHandoffReview,
    ResultFile,
    SchedulingDecision,
    Step,
    Subscription,
    Task,
    ThreadAssignment,
    Workflow,
    WorkflowVersion,
    Workstream,
    WorkstreamNeed,
)
from orchestrator.web.zone import project_zone

AREAS: dict[str, tuple[type, ...]] = {
    "Workflows and plans": (Workflow, WorkflowVersion, Step, Bundle, CheckRule, Policy, PolicyChange),
    "Work": (
        Workstream,
        WorkstreamNeed,
        Task,
        Attempt,
        Assignment,
        ThreadAssignment,
        SchedulingDecision,
        Migration,
        MappedStep,
        BaselineIntegration,
    ),
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
    "Audit records": (HistoryEntry, HandoffArtifact, ResultFile),
    "Notifications": (Subscription, Delivery),
    "Executors": (Executor, AccessToken),
    "People and roles": (User, Group),
}


class OrchestratorAdminSite(admin.AdminSite):
    site_header = "Orchestrator administration"
    site_title = "Orchestrator administration"
    index_title = "What there is"

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way to sign in, with its limits, its second factor and its entry in the history."""
        if request.user.is_authenticated:
            raise NotAllowed(f"{request.user.get_username()} may not open the administration.")
        following = request.GET.get(REDIRECT_FIELD_NAME, "")
        ours = url_has_allowed_host_and_scheme(
            following, {request.get_host()}, require_https=request.is_secure()
        )
        return redirect_to_login(following if ours else reverse("admin:index"))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Times are in the zone of the pages, here too."""
        plain = super().admin_view(view, cacheable)

        @wraps(plain)
        def zoned(request: HttpRequest, *args: Any, **values: Any) -> Any:
            with timezone.override(project_zone()):
                response = plain(request, *args, **values)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
            return response

        return zoned

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """One block per area instead of one per Django app; a test sees that every model stands in one."""
        offered = {m["model"]: m for app in super().get_app_list(request, app_label) for m in app["models"]}
        areas = []
        for name, models in AREAS.items():
            areas.append((name, [offered.pop(model) for model in models if model in offered]))
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
