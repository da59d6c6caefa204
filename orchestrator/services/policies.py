"""Policies and their change log (LC-11, FR-022)."""

from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import MissingReason
from orchestrator.core.terms import Role
from orchestrator.models import Policy, PolicyChange
from orchestrator.services.actor import Actor
from orchestrator.services.history import record


def change_policy(*, slug: str, title: str, body: str, reason: str, impact: str, actor: Actor, now: datetime) -> Policy:
    """Write a policy's text, with who changed it, why, and what it means for running work."""
    actor.require(Role.APPROVER)
    if not reason.strip():
        raise MissingReason("A policy changes with a reason.", field="reason")
    with transaction.atomic():
        policy, _ = Policy.objects.select_for_update(no_key=True).update_or_create(
            slug=slug, defaults={"title": title, "body": body, "updated_at": now}
        )
        PolicyChange.objects.create(
            policy=policy, author=actor.account, reason=reason, impact=impact, body=body, changed_at=now
        )
        record(workstream=None, actor=actor, action="policy changed", subject=slug, reason=reason, now=now)
    return policy
