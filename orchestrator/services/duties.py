"""What waits for a person: the inbox asks the acts themselves whom they ask (FR-011)."""

from datetime import datetime
from functools import cache
from typing import Any, Final

from django.contrib.auth.models import User

from orchestrator.core.actions import Action
from orchestrator.core.terms import Role
from orchestrator.queries.base.roles import roles_of
from orchestrator.queries.workstreams.inbox import InboxOwner, PersonalInbox, inbox_for
from orchestrator.queries.workstreams.inbox_count import count_waiting
from orchestrator.services.base.acts import Act
from orchestrator.services.people.blockers import resolve_blocker
from orchestrator.services.people.interventions import clear_human_flag
from orchestrator.services.review.decisions import approve_version
from orchestrator.services.work.claims import claim
from orchestrator.services.work.failures import requeue
from orchestrator.services.work.recoveries import restore_artifact
from orchestrator.services.workstreams.learnings import record_learning
from orchestrator.services.workstreams.workstreams import accept_workstream, sign_prehandoff

#: The acts that something in the inbox waits for. Gates are not among them: the plan names who signs each.
WAITED_FOR: Final[tuple[Act[..., Any], ...]] = (
    clear_human_flag,
    requeue,
    resolve_blocker,
    restore_artifact,
    approve_version,
    sign_prehandoff,
    accept_workstream,
    claim,
    record_learning,
)


def inbox_of(
    user: User, roles: frozenset[Role] | None = None, now: datetime | None = None, *, snoozed: bool = False
) -> PersonalInbox:
    """The inbox of one person. Whoever knows their roles already gives them, which spares a query.

    With `now`, what they put off until later is left out; with `snoozed` it alone is there.
    """
    roles = roles_of(user) if roles is None else roles
    return inbox_for(_owner(user, roles), now, snoozed=snoozed)


def waiting_for(user: User, roles: frozenset[Role], now: datetime, most: int) -> int:
    """How many entries the inbox of a person has at a time, or `most` where there are more."""
    return count_waiting(_owner(user, roles), now, most)


def _owner(user: User, roles: frozenset[Role]) -> InboxOwner:
    return InboxOwner(user.pk, user.get_username(), roles, asked_of(roles))


@cache
def asked_of(roles: frozenset[Role]) -> frozenset[Action]:
    """The actions that the acts expect of somebody with these roles."""
    asked: set[Action] = set()
    for act in WAITED_FOR:
        if act.asks(roles):
            asked.update(act.declaration.records)
    return frozenset(asked)
