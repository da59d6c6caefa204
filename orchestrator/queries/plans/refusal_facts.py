"""Refusals as every machine interface answers with them (FR-025)."""

from orchestrator.contract.refusals import BundleRefusalFacts, PlanRefusalFacts, RefusalFacts
from orchestrator.core.errors import BundleRejected, PlanRejected, Refusal
from orchestrator.queries.plans.plan_facts import facts_of


def refusal_facts(refusal: Refusal) -> RefusalFacts:
    """A plan's refusal comes with its findings, a bundle's with those of each file."""
    details = dict(refusal.details)
    if isinstance(refusal, PlanRejected):
        findings = facts_of(refusal.findings)
        return PlanRefusalFacts(refusal.code, refusal.message, refusal.way_out, details, findings)
    if isinstance(refusal, BundleRejected):
        files = {name: facts_of(found) for name, found in refusal.findings.items()}
        return BundleRefusalFacts(refusal.code, refusal.message, refusal.way_out, details, files)
    return RefusalFacts(refusal.code, refusal.message, refusal.way_out, details)
