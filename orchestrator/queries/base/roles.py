"""The roles that an account holds, and the tasks that those let it do (FR-011)."""

from collections.abc import Collection

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q

from orchestrator.core.people.roles import DOERS, HUMAN, WORKING, doers, usable_scopes
from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Step
from orchestrator.queries.base.sql import Joined


def roles_of(user: User | AnonymousUser) -> frozenset[Role]:
    """What the account's groups give it.

    Groups that are no role of ours give nothing, being an administrator all.
    """
    if user.is_superuser:
        return frozenset(Role)
    names = {row["name"] for row in _GROUPS.rows(user.pk)}
    return frozenset(role for role in Role if role in names)


_GROUPS = Joined(
    {},
    """auth_user_groups member JOIN auth_group role ON role.id = member.group_id
WHERE member.user_id = %s""",
    {"name": "role.name"},
)


def doers_of(step: Step) -> frozenset[Role]:
    """The roles of which one is needed to do the step."""
    return doers(step.role, "" if step.role else step.thread.owner_role)


def may_do(roles: Collection[Role], task: str = "") -> Q:
    """Rows whose task somebody with these roles may do: `doers` in SQL.

    `task` is the way from the row to its task, with its underscores.
    """
    step, thread = f"{task}step__role", f"{task}step__thread__owner_role"
    mine = [role for role in sorted(DOERS) if role in roles]
    found = Q(**{f"{step}__in": mine}) | Q(**{step: "", f"{thread}__in": mine})
    if WORKING.isdisjoint(roles):
        return found
    by_thread = Q(**{step: ""}) & ~Q(**{f"{thread}__in": sorted(DOERS)})
    return found | by_thread | ~Q(**{f"{step}__in": ["", *sorted(DOERS)]})


def suiting(kind: str, task: str = "") -> Q:
    """Rows whose task an executor of this kind does: `suits` in SQL. No kind stands for a person."""
    if kind in ("", ExecutorKind.PERSON):
        return Q()
    if kind == ExecutorKind.TOOL:
        return ~Q(**{f"{task}step__tool": HUMAN})
    return Q(**{f"{task}step__tool": ""})


def scopes_of(user: User) -> frozenset[str]:
    """What a token of the account's executors may be for; roles change, so each use asks them again."""
    return frozenset(scope.value for scope in usable_scopes(roles_of(user)))
