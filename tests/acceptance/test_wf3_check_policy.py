"""WF-3, FR-022: a policy says which findings block approval.

The change is logged and counts everywhere at once.
"""

import pytest
from django.test import Client

from orchestrator.core.errors import InvalidInput, PlanHasBlockers
from orchestrator.core.terms import Severity
from orchestrator.models import HistoryEntry, PolicyChange
from orchestrator.services.plans.check_rules import change_check_rules
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import approve_version
from tests.cast import NOON, Cast
from tests.machines import Machine

PLAN = b"# Mailing\n\n## Batch 01: build\n### Thread A: code\n- [ ] A1: Build it\n"
RULE = {
    "severity-no-exit-criteria": "blocks",
    "shown-no-exit-criteria": "warns",
    "reason": "Nothing was proved.",
    "impact": "One plan waits.",
}


def submitted(cast: Cast):
    return submit_plan(source=PLAN, source_name="PLAN.md", actor=cast.actor("initiator"), now=NOON).version


def test_wf3_the_policy_blocks_approval_in_the_browser_and_behind_it(client: Client, cast: Cast) -> None:
    version = submitted(cast)
    client.force_login(cast.approver)
    assert client.post("/policies/plan-checks/", RULE).status_code == 302
    review = client.get("/plans/mailing/v1/").content.decode()
    assert "The policy for plan checks makes this block approval." in review
    with pytest.raises(PlanHasBlockers):
        approve_version(
            version_id=version.pk, seen_sha256=version.source_sha256, actor=cast.actor("approver"), now=NOON
        )


def test_fr022_the_change_of_the_policy_is_logged_with_reason(client: Client, cast: Cast) -> None:
    client.force_login(cast.approver)
    client.post("/policies/plan-checks/", RULE | {"impact": "Two plans wait."})
    change = PolicyChange.objects.get()
    assert (change.policy.slug, change.reason, change.impact) == (
        "plan-checks",
        "Nothing was proved.",
        "Two plans wait.",
    )
    assert HistoryEntry.objects.filter(action="policy changed", subject="plan-checks").count() == 1
    page = client.get("/policies/plan-checks/").content.decode()
    assert "Two plans wait." in page
    assert "approver" in page


def test_wf3_only_an_approver_changes_it_and_with_a_reason(client: Client, cast: Cast) -> None:
    client.force_login(cast.contributor)
    assert client.post("/policies/plan-checks/", RULE).status_code == 403
    client.force_login(cast.approver)
    assert client.post("/policies/plan-checks/", RULE | {"reason": ""}).status_code in {409, 422}
    assert PolicyChange.objects.count() == 0


def test_wf3_what_always_blocks_cannot_be_lowered(db: None, cast: Cast) -> None:
    with pytest.raises(InvalidInput):
        change_check_rules(
            severities={"dependency-cycle": Severity.WARNS},
            reason="Hurry.",
            impact="None.",
            actor=cast.actor("approver"),
            now=NOON,
        )


def test_wf3_machines_read_the_rules_and_are_judged_by_them(client: Client, cast: Cast) -> None:
    client.force_login(cast.approver)
    client.post("/policies/plan-checks/", RULE)
    machine = Machine.of(cast.builder())
    status, rules = machine.get("/api/policies/plan-checks/rules/")
    assert status == 200
    assert {"no-exit-criteria": "blocks", "dependency-cycle": "blocks"}.items() <= {
        rule["code"]: rule["severity"] for rule in rules
    }.items()
    status, answer = machine.post("/api/plans/check", {"source": PLAN.decode(), "executors": 1})
    assert (status, answer["approvable"], answer["preview"]["executors"]) == (200, False, 1)


def test_wf3_the_effect_is_shown_for_any_number_of_executors(client: Client, cast: Cast) -> None:
    submitted(cast)
    client.force_login(cast.approver)
    page = client.get("/plans/mailing/v1/?executors=7").content.decode()
    assert "Creates 1 task in 1 batch and starts <strong>A1</strong>." in " ".join(page.split())
    assert 'value="7"' in page
    assert client.get("/plans/mailing/v1/runs?executors=x").status_code == 200
