"""The policy of the plan checks: what each finding does to approval now (WF-3)."""

from dataclasses import dataclass

from orchestrator.core.plans.checks.rules import SETTABLE, severity_of
from orchestrator.core.plans.findings import FINDINGS
from orchestrator.core.terms import Severity
from orchestrator.models import CheckRule


@dataclass(frozen=True, slots=True)
class Check:
    """A finding, what it does now and without a rule, and the last change of its rule if there is one."""

    code: str
    meaning: str
    severity: Severity
    default: Severity
    settable: bool
    rule: CheckRule | None


def rules_in_force() -> dict[str, Severity]:
    """The severities that an approver has set, by code."""
    return {code: Severity(severity) for code, severity in CheckRule.objects.values_list("code", "severity")}


def checks() -> list[Check]:
    """Every finding there is, in the order of their table."""
    rules = {rule.code: rule for rule in CheckRule.objects.select_related("changed_by")}
    severities = {code: Severity(rule.severity) for code, rule in rules.items()}
    return [
        Check(code, meaning, severity_of(code, severities), default, code in SETTABLE, rules.get(code))
        for code, (default, meaning) in FINDINGS.items()
    ]
