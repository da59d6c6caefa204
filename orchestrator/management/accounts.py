"""Accounts of people, their roles, and the account that local executors act for (FR-011)."""

import secrets
from datetime import datetime
from typing import Final

from django.contrib.auth.models import Group, User
from django.utils import timezone

from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Executor
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.locks import lock_names
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.accounts import COMMAND_LINE, account_state, record_changes
from orchestrator.services.people.executors import register_executor
from orchestrator.services.people.names import claim_account_name

#: The account that answers for what local executors do; nobody signs in with it.
BUILDERS: Final = "builders"
PASSWORD_BYTES: Final = 9


def ensure_roles() -> None:
    for role in Role:
        Group.objects.get_or_create(name=role.value)


def add_account(
    name: str, *roles: Role, password: str = "", superuser: bool = False, demo: bool = False
) -> str | None:
    """A new account with these roles; its password, which is stored nowhere else. None when it is there
    already.

    InvalidInput when the name is no name for an account, or looks like another one; see
    `services/people/names.py` for `demo`.
    """
    ensure_roles()
    password = password or secrets.token_urlsafe(PASSWORD_BYTES)
    with unit_of_work():
        lock_names()
        if User.objects.filter(username=name).exists():
            return None
        claim_account_name(name, demo=demo)
        user = User.objects.create(username=name, is_superuser=superuser, is_staff=superuser)
        user.set_password(password)
        user.save(update_fields=["password"])
        user.groups.add(*Group.objects.filter(name__in=[role.value for role in roles]))
        record_changes(account=user, before=None, actor=COMMAND_LINE, now=timezone.now())
    return password


def ensure_executors(count: int, now: datetime) -> list[Executor]:
    """`builder-1` to `builder-<count>`, registered once."""
    ensure_roles()
    account = _builders(now)
    names = [f"builder-{number}" for number in range(1, count + 1)]
    return [register_executor(name=name, kind=ExecutorKind.TOOL, user=account, now=now) for name in names]


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
