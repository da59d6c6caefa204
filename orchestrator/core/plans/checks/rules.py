"""Which findings block the approval of a plan: what an installation's policy may decide, and what it may not
(WF-3).

What keeps a plan from being scheduled always blocks. Everything a reviewer judges has a default that a policy
changes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import FINDINGS, MORE
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Severity

#: Blocks unless the policy says otherwise: the plan can be scheduled, and its steps wait for a person.
_BLOCKS_BY_DEFAULT: Final = frozenset({"impossible-verification"})
#: code -> severity without a rule, for every finding that a policy may make block, warn or inform.
SETTABLE: Final[dict[str, Severity]] = {
    code: severity
    for code, (severity, _) in FINDINGS.items()
    if (severity is not Severity.BLOCKS or code in _BLOCKS_BY_DEFAULT) and code != MORE
}

#: Said with a finding that only the policy makes block.
BY_POLICY: Final = "The policy for plan checks makes this block approval."


def severity_of(code: str, rules: Mapping[str, Severity]) -> Severity:
    """What a finding does to approval; a rule for one that always blocks has no effect."""
    return rules.get(code, SETTABLE[code]) if code in SETTABLE else FINDINGS[code][0]


def apply_rules(reading: Reading, rules: Mapping[str, Severity]) -> Reading:
    """The reading with each finding judged by the rules, blocking ones first."""
    if not rules:
        return reading
    return replace(reading, findings=sort_findings(_judged(finding, rules) for finding in reading.findings))


def _judged(finding: Finding, rules: Mapping[str, Severity]) -> Finding:
    severity = severity_of(finding.code, rules)
    raised = severity is Severity.BLOCKS and finding.severity is not Severity.BLOCKS
    message = f"{finding.message} {BY_POLICY}" if raised else finding.message
    return replace(finding, severity=severity, message=message)
