"""Policies: read what people agreed on, with the change log.

People write them in the browser (LC-11, FR-022).
"""

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.policies import (
    CheckRuleChange,
    CheckRuleFacts,
    PolicyChangeFacts,
    PolicyFacts,
    PolicyName,
)
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import Scope
from orchestrator.models import Policy
from orchestrator.queries.plans.check_rules import checks
from orchestrator.services.plans.check_rules import change_check_rules

router = Routes(tags=["policies"])


@router.get("/", response=list[PolicyName])
@needs(Scope.READ)
def listing(request: HttpRequest) -> list[PolicyName]:
    return [PolicyName(one.slug, one.title, one.updated_at) for one in Policy.objects.order_by("slug")]


@router.get("/plan-checks/rules/", response=list[CheckRuleFacts])
@needs(Scope.READ)
def check_rules(request: HttpRequest) -> list[CheckRuleFacts]:
    """Every finding a check of a plan can make, and whether it blocks approval here (WF-3)."""
    return _check_rules()


@router.post("/plan-checks/rules/", response=list[CheckRuleFacts])
@act(change_check_rules)
def set_check_rules(request: HttpRequest, body: CheckRuleChange) -> list[CheckRuleFacts]:
    """Set what the named findings do to approval; an approver says why.

    Answers with every rule as it then is.
    """
    change_check_rules(
        severities=body.severities,
        reason=body.reason,
        impact=body.impact,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return _check_rules()


def _check_rules() -> list[CheckRuleFacts]:
    return [CheckRuleFacts(c.code, c.meaning, c.severity, c.default, c.settable) for c in checks()]


@router.get("/{slug:slug}/", response=PolicyFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest, slug: str) -> PolicyFacts:
    policy = Policy.objects.filter(slug=slug).first()
    if policy is None:
        raise NotFound(f"There is no policy {slug}.")
    changes = policy.changes.select_related("author").order_by("-changed_at", "-pk")
    return PolicyFacts(
        policy.slug,
        policy.title,
        policy.body,
        policy.updated_at,
        tuple(PolicyChangeFacts(c.changed_as, c.reason, c.impact, c.changed_at) for c in changes),
    )
