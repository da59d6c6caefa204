"""The policy of the plan checks: which findings block approval, which warn, and who decided so.

Requirements: WF-3, FR-022.
"""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import Severity
from orchestrator.models import Policy
from orchestrator.queries.plans.check_rules import Check, checks
from orchestrator.services.plans.check_rules import change_check_rules
from orchestrator.services.workstreams.policies import PLAN_CHECKS
from orchestrator.web.acting import does, now, perform, typed, viewer
from orchestrator.web.show import show

#: A select with the severity of a check is called by this and the check's code.
FIELD = "severity-"
#: And what it was when the page was made by this.
SHOWN = "shown-"


@require_http_methods(["GET", "HEAD", "POST"])
def plan_checks(request: HttpRequest) -> HttpResponse:
    """Every check with what it does to approval; a POST changes the ones that were chosen differently."""
    if request.method != "POST":
        return _page(request)
    return perform(
        request, partial(_change, request), then=reverse("plan-checks"), again=partial(_page, request)
    )


@does(change_check_rules)
def _change(request: HttpRequest) -> str:
    severities = {check.code: _chosen(request, check) for check in checks() if _differs(request, check)}
    changed = change_check_rules(
        severities=severities,
        reason=typed(request, "reason"),
        impact=typed(request, "impact"),
        actor=viewer(request).actor,
        now=now(),
    )
    return f"Changed: {', '.join(changed)}. Plans under review are judged by it from now on."


def _differs(request: HttpRequest, check: Check) -> bool:
    """Whether the person chose another severity than the page showed: what others changed meanwhile stays."""
    given = request.POST.get(f"{FIELD}{check.code}", "")
    return given in tuple(Severity) and given != request.POST.get(f"{SHOWN}{check.code}", "")


def _chosen(request: HttpRequest, check: Check) -> Severity:
    """What was chosen, or what is in force when the field is missing or has another word."""
    given = request.POST.get(f"{FIELD}{check.code}", "")
    return Severity(given) if given in tuple(Severity) else check.severity


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    found = checks()
    policy = Policy.objects.filter(slug=PLAN_CHECKS).first()
    context = {
        "settable": [(check, _chosen(request, check)) for check in found if check.settable],
        "always": [check for check in found if not check.settable and check.default is Severity.BLOCKS],
        "severities": tuple(Severity),
        "changes": policy.changes.select_related("author") if policy else (),
        "reason": request.POST.get("reason", ""),
        "impact": request.POST.get("impact", ""),
        "why_not": viewer(request).lacks(change_check_rules),
    }
    return show(request, "policies/checks.html", context, refusal=refusal)


urlpatterns = [path(f"policies/{PLAN_CHECKS}/", plan_checks, name="plan-checks")]
