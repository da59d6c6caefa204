"""Accounts of people, their roles, and the account that local executors act for (FR-011)."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from orchestrator.adapters.pool import PooledExecutor
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Executor
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.locks import lock_names
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.accounts import COMMAND_LINE, account_state, record_changes
from orchestrator.services.people.executors import issue_token, register_executor, revoke_token
from orchestrator.services.people.names import claim_account_name

#: The account that answers for what local executors do; nobody signs in with it.
BUILDERS: Final = "builders"
PASSWORD_BYTES: Final = 9
#: The label of tokens that `serve` makes for the agents it starts.
STARTED: Final = "started by serve"


def ensure_roles() -> None:
    for role in Role:
        Group.objects.get_or_create(name=role.value)


def add_account(
    name: str, *roles: Role, password: str = "", superuser: bool = False, demo: bool = False
) -> str | None:
    """A new account with these roles; its password, which is stored nowhere else. None when it is there
    already.

    Whoever signs in with it has to change it, but not in the demo. InvalidInput when the name is no name for
    an account, or looks like another one; see `services/people/names.py` for `demo`.
    """
    ensure_roles()
    password = password or _new_password()
    with unit_of_work():
        lock_names()
        if User.objects.filter(username=name).exists():
            return None
        claim_account_name(name, demo=demo)
        user = User.objects.create(username=name, is_superuser=superuser, is_staff=superuser)
        user.set_password(password)
        user.save(update_fields=["password"])
        user.groups.add(*Group.objects.filter(name__in=[role.value for role in roles]))
        now = timezone.now()
        record_changes(account=user, before=None, actor=COMMAND_LINE, now=now, own_password=demo)
    return password


def _new_password() -> str:
    """A random one that the rules for passwords do not refuse by chance."""
    while True:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            validate_password(password)
        except ValidationError:
            continue
        return password


def ensure_executors(count: int, now: datetime) -> list[Executor]:
    """`builder-1` to `builder-<count>`, registered once."""
    ensure_roles()
    account = _builders(now)
    names = [f"builder-{number}" for number in range(1, count + 1)]
    return [register_executor(name=name, kind=ExecutorKind.TOOL, user=account, now=now) for name in names]


def ensure_pool(pool: Iterable[PooledExecutor], now: datetime) -> dict[str, str]:
    """Registers the executors of `executors.toml`; the secrets of those that sign in, by name. A start makes
    them anew and revokes the ones before it. NotFound for an account that is not there."""
    secrets_made = {}
    for one in pool:
        if not one.is_agent:
            register_executor(name=one.name, kind=ExecutorKind.TOOL, user=_builders(now), now=now)
            continue
        owner = User.objects.filter(username=one.account, is_active=True).first()
        if owner is None:
            raise NotFound(
                f"{one.name} works for the account {one.account}, which is not there.",
                recovery="Make it with manage.py add_user, or name another one in executors.toml.",
            )
        agent = register_executor(name=one.name, kind=ExecutorKind.AGENT, user=owner, now=now)
        secrets_made[one.name] = _new_token(agent, Actor.person(owner), now)
    return secrets_made


def _new_token(agent: Executor, actor: Actor, now: datetime) -> str:
    for old in agent.tokens.filter(label=STARTED, revoked_at=None).values_list("pk", flat=True):
        revoke_token(token_id=old, actor=actor, now=now)
    _, secret = issue_token(
        executor=agent, label=STARTED, scopes=frozenset({"read", "work"}), actor=actor, now=now
    )
    return secret


def _builders(now: datetime) -> User:
    with unit_of_work():
        lock_names()
        account = User.objects.filter(username=BUILDERS).first()
        before = account_state(account.pk) if account else None
        if account is None:
            claim_account_name(BUILDERS)
            account = User(username=BUILDERS)
            account.set_unusable_password()
            account.save()
        account.groups.add(Group.objects.get(name=Role.CONTRIBUTOR.value))
        record_changes(account=account, before=before, actor=ORCHESTRATOR, now=now)
    return account
