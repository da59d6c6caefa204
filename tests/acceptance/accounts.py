"""Accounts in acceptance tests, and every row of every table, to see that nothing was stored."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User

from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import AccessToken, Executor, OpenSession
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, UserFactory


def contributor(name: str) -> tuple[User, Executor]:
    """An account that may work, with an agent of its own."""
    user = UserFactory(username=name, roles=[Role.CONTRIBUTOR])
    return user, register_executor(name=f"{name}s-agent", kind=ExecutorKind.AGENT, user=user, now=NOON)


def take_roles_away(user: User, *groups: str) -> None:
    """What is left are groups of other names, which are no roles."""
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])


def tables() -> dict[str, Any]:
    """How many rows every table has, and what stands in ours.

    A token and a session know when they were used last, and may.
    """
    counted: dict[str, Any] = {model._meta.label: model.objects.count() for model in apps.get_models()}
    every = apps.get_app_config("orchestrator").get_models()
    ours = [model for model in every if model not in (AccessToken, OpenSession)]
    return counted | {model.__name__: list(model.objects.order_by("pk").values_list()) for model in ours}
