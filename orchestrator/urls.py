"""Addresses. Each web module lists its own; the order below matters only for equal paths."""

from django.urls import include, path

from orchestrator.admin import site
from orchestrator.api import negotiated
from orchestrator.api import root as api

urlpatterns = [
    *api.urlpatterns,
    *negotiated.urlpatterns,
    path("admin/", site.urls),
    path("", include("orchestrator.web.people.sign_in")),
    path("", include("orchestrator.web.people.account")),
    path("", include("orchestrator.web.people.second_factor")),
    path("", include("orchestrator.web.workstreams.inbox")),
    path("", include("orchestrator.web.workstreams.portfolio")),
    path("", include("orchestrator.web.flow.pages")),
    path("", include("orchestrator.web.health")),
    path("", include("orchestrator.web.history")),
    path("", include("orchestrator.web.log")),
    path("", include("orchestrator.web.proofs")),
    path("", include("orchestrator.web.search")),
    path("", include("orchestrator.web.guide")),
    path("", include("orchestrator.web.plans.check_rules")),
    path("", include("orchestrator.web.workstreams.policies")),
    path("", include("orchestrator.web.people.tokens")),
    path("", include("orchestrator.web.people.connecting")),
    path("", include("orchestrator.web.people.notifications")),
    path("", include("orchestrator.web.plans.library")),
    path("", include("orchestrator.web.plans.save_workflow")),
    path("", include("orchestrator.web.schemas")),
    path("", include("orchestrator.web.plans.plans")),
    path("", include("orchestrator.web.plans.plan_versions")),
    path("", include("orchestrator.web.plans.plan_review")),
    path("", include("orchestrator.web.plans.plan_comments")),
    path("", include("orchestrator.web.plans.plan_downloads")),
    path("", include("orchestrator.web.plans.plan_effect")),
    path("", include("orchestrator.web.workstreams.workstreams")),
    path("", include("orchestrator.web.workstreams.maps")),
    path("", include("orchestrator.web.workstreams.dashboard")),
    path("", include("orchestrator.web.plans.plan_map")),
    path("", include("orchestrator.web.plans.amendments")),
    path("", include("orchestrator.web.plans.prehandoff")),
    path("", include("orchestrator.web.plans.bundles")),
    path("", include("orchestrator.web.plans.migrations")),
    path("", include("orchestrator.web.plans.workflows")),
    path("", include("orchestrator.web.plans.workflow_rules")),
    path("", include("orchestrator.web.work.live_logs")),
    path("", include("orchestrator.web.work.tasks")),
    path("", include("orchestrator.web.work.gates")),
    path("", include("orchestrator.web.work.integration")),
    path("", include("orchestrator.web.work.timelines")),
    path("", include("orchestrator.web.work.interventions")),
    path("", include("orchestrator.web.work.blockers")),
    path("", include("orchestrator.web.work.learnings")),
    path("", include("orchestrator.web.work.collected")),
    path("", include("orchestrator.web.workspace")),
    path("", include("orchestrator.web.consistency")),
    path("", include("orchestrator.web.people.operating")),
    path("", include("orchestrator.web.people.executors")),
]

handler400 = "orchestrator.web.refusals.bad_request"
handler403 = "orchestrator.web.refusals.forbidden"
handler404 = "orchestrator.web.refusals.not_found"
handler500 = "orchestrator.web.refusals.server_error"
