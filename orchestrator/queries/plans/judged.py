"""What a reading means here: the people and workstreams it names, and the policy of checks (WF-3, AD-3)."""

from collections.abc import Collection

from orchestrator.core.plans.checks.rules import apply_rules
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.progress import told_as_taken
from orchestrator.models import Bundle, WorkflowVersion, Workstream
from orchestrator.queries.plans.check_rules import rules_in_force
from orchestrator.queries.plans.needs import with_needs
from orchestrator.queries.plans.readings import reading_of
from orchestrator.queries.plans.sign_offs import with_approvers


def judged(
    reading: Reading,
    *,
    version: WorkflowVersion | None = None,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> Reading:
    """The reading with what the approvers, the needs and the policy in force add to its findings.

    `version` is the stored one that it was read from, `workstream` the one that the plan is for; `members`
    are names that the rest of its bundle will go by (AD-3).
    """
    if version is not None and version.adopts:
        reading = told_as_taken(reading)
    reading = with_approvers(with_needs(reading, workstream, bundle, members), version)
    return by_policy(reading)


def judged_version(version: WorkflowVersion, workstream: Workstream | None = None) -> Reading:
    """A stored version under the policy in force now."""
    return judged(reading_of(version), version=version, workstream=workstream)


def by_policy(reading: Reading) -> Reading:
    """The reading judged by the policy alone: needs are judged when the plan is submitted."""
    return apply_rules(reading, rules_in_force())
