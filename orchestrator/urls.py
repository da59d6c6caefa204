"""Addresses. Each web module lists its own; the order below matters only for equal paths."""

from django.urls import include, path

from orchestrator.admin import site
from orchestrator.api import negotiated
from orchestrator.api import root as api

urlpatterns = [
    *api.urlpatterns,
    *negotiated.urlpatterns,
    path("admin/", site.urls),
    path("", include("orchestrator.web.sign_in")),
    path("", include("orchestrator.web.account")),
    path("", include("orchestrator.web.second_factor")),
    path("", include("orchestrator.web.inbox")),
    path("", include("orchestrator.web.portfolio")),
    path("", include("orchestrator.web.history")),
    path("", include("orchestrator.web.check_rules")),
    path("", include("orchestrator.web.policies")),
    path("", include("orchestrator.web.tokens")),
    path("", include("orchestrator.web.library")),
    path("", include("orchestrator.web.save_workflow")),
    path("", include("orchestrator.web.schemas")),
    path("", include("orchestrator.web.plans")),
    path("", include("orchestrator.web.plan_versions")),
    path("", include("orchestrator.web.plan_review")),
    path("", include("orchestrator.web.plan_comments")),
    path("", include("orchestrator.web.plan_downloads")),
    path("", include("orchestrator.web.plan_effect")),
    path("", include("orchestrator.web.workstreams")),
    path("", include("orchestrator.web.amendments")),
    path("", include("orchestrator.web.prehandoff")),
    path("", include("orchestrator.web.bundles")),
    path("", include("orchestrator.web.migrations")),
    path("", include("orchestrator.web.workflows")),
    path("", include("orchestrator.web.workflow_rules")),
    path("", include("orchestrator.web.tasks")),
    path("", include("orchestrator.web.gates")),
    path("", include("orchestrator.web.interventions")),
    path("", include("orchestrator.web.blockers")),
    path("", include("orchestrator.web.learnings")),
    path("", include("orchestrator.web.collected")),
    path("", include("orchestrator.web.workspace")),
]

handler400 = "orchestrator.web.refusals.bad_request"
handler403 = "orchestrator.web.refusals.forbidden"
handler404 = "orchestrator.web.refusals.not_found"
handler500 = "orchestrator.web.refusals.server_error"
