"""Policies and their change log (LC-11, FR-022)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.core.people.roles import APPROVERS
from orchestrator.models import Policy, PolicyChange
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, for_update, take
from orchestrator.services.base.unit_of_work import unit_of_work

#: The policy that follows from the rules of the plan checks; nobody writes its text.
PLAN_CHECKS: Final = "plan-checks"
#: What every change of a policy says: why, and for whom it matters.
REASON: Final = why("reason", "A policy changes with a reason.")
IMPACT: Final = why(
    "impact",
    "A policy changes with a note on what it means for running work.",
    recovery="Say what changes for work that is under way; that nothing does is an answer too.",
)


@act(
    roles=APPROVERS,
    reason=REASON,
    locks=(Lock.POLICY,),
    records=(Action.POLICY_CHANGED,),
)
def change_policy(
    *, slug: str, title: str, body: str, reason: str, impact: str, actor: Actor, now: datetime
) -> Policy:
    """Write a policy's text, with who changed it, why, and what it means for running work."""
    if slug == PLAN_CHECKS:
        raise InvalidInput(
            "The policy for plan checks has no text of its own.",
            recovery="Change its rules: Policies, Plan checks.",
            field="slug",
        )
    return write_policy(slug=slug, title=title, body=body, reason=reason, impact=impact, actor=actor, now=now)


def write_policy(
    *,
    slug: str,
    title: str,
    body: str,
    reason: str,
    impact: str,
    actor: Actor,
    now: datetime,
    data: Mapping[str, str] | None = None,
) -> Policy:
    """The same for any policy; `data` goes into the history beside the reason.

    A browser ends lines in its own way, so how they end is no part of the text.
    """
    body = _lines(body)
    IMPACT.refuse_blank({"impact": impact})
    with unit_of_work():
        take(Lock.POLICY, slug)
        present = Policy.objects.filter(slug=slug, title=title).first()
        if present and _lines(present.body) == body:
            raise WrongState(
                "The policy says exactly this already, so nothing was changed.",
                recovery="Change its title or its text, or leave it as it is.",
            )
        policy, _ = for_update(Policy.objects).update_or_create(
            slug=slug, defaults={"title": title, "body": body, "updated_at": now}
        )
        PolicyChange.objects.create(
            policy=policy,
            author=actor.account,
            changed_as=actor.label,
            reason=reason,
            impact=impact,
            body=body,
            changed_at=now,
        )
        record(
            workstream=None,
            actor=actor,
            action=Action.POLICY_CHANGED,
            subject=slug,
            reason=reason,
            now=now,
            data=data,
        )
    return policy


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
