"""Change which findings of the plan check block approval (WF-3, FR-022)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.plans.checks.rules import SETTABLE
from orchestrator.core.terms import Scope, Severity
from orchestrator.models import CheckRule
from orchestrator.queries.plans.check_rules import rules_in_force
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock, lock_check_rules
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.workstreams.policies import PLAN_CHECKS, REASON, write_policy

TITLE: Final = "Plan checks"


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=REASON,
    locks=(Lock.CHECK_RULES, Lock.POLICY),
    records=(Action.POLICY_CHANGED,),
)
def change_check_rules(
    *, severities: Mapping[str, Severity], reason: str, impact: str, actor: Actor, now: datetime
) -> list[str]:
    """Set what the named findings do to approval; the codes that changed.

    Plans under review are judged by the new rules at once; what is approved stays approved. The change stands
    in the history and in the change log of the policy. Raises InvalidInput for a code that cannot be set, or
    when nothing changes; MissingReason without a reason.
    """
    for code in severities:
        if code not in SETTABLE:
            raise InvalidInput(
                f"What “{code[:60]}” does to approval cannot be set.",
                recovery="Name a check that the policy may set; what cannot be scheduled always blocks.",
                field="severities",
            )
    with unit_of_work():
        lock_check_rules()
        rules = SETTABLE | rules_in_force()
        changed = {code: new for code, new in severities.items() if new is not rules[code]}
        if not changed:
            raise InvalidInput(
                "Every check does that already; nothing changed.",
                recovery="Choose another severity for at least one check.",
                field="severities",
            )
        for code, new in changed.items():
            values = {
                "severity": new,
                "changed_by": actor.account,
                "changed_as": actor.label,
                "changed_at": now,
                "reason": reason,
            }
            CheckRule.objects.update_or_create(code=code, defaults=values)
        write_policy(
            slug=PLAN_CHECKS,
            title=TITLE,
            body=_body(rules, changed),
            reason=reason,
            impact=impact,
            actor=actor,
            now=now,
            data={code: new.value for code, new in sorted(changed.items())},
        )
    return sorted(changed)


def _body(rules: Mapping[str, Severity], changed: Mapping[str, Severity]) -> str:
    """What changed, and then all that differs from the defaults, as Markdown for the change log."""
    lines = [f"- `{code}`: {rules[code]} → **{new}**" for code, new in sorted(changed.items())]
    after = {**rules, **changed}
    special = [f"- `{code}`: {after[code]}" for code in sorted(after) if after[code] is not SETTABLE[code]]
    return "\n".join(
        ["Changed:", "", *lines, "", "Different from the defaults:", "", *(special or ["- nothing"])]
    )
