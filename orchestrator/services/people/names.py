"""Names that nobody else has or resembles: of an account and of an executor, checked against both.

Requirements: FR-011, FR-027.
"""

from django.contrib.auth.models import User

from orchestrator.core.people.names import (
    check_account_letters,
    check_account_name,
    check_executor_name,
    looks_like,
    skeleton,
)
from orchestrator.models import Executor
from orchestrator.services.base.locks import lock_names


def claim_executor_name(name: str) -> str:
    """The skeleton of a name that a new executor may have; InvalidInput says whom it resembles.

    Holds the names lock until the caller's transaction ends, so that two who ask at once cannot get names
    alike.
    """
    check_executor_name(name)
    lock_names()
    _refuse_alike(name, "name")
    return skeleton(name)


def claim_account_name(name: str, *, account: User | None = None, demo: bool = False) -> None:
    """InvalidInput unless a new account, or this one, may be called so; holds the names lock like the other.

    The accounts of the demo are called like the role that each has, so that its readers know whom to be.
    """
    if account is not None and account.get_username() == name:
        return
    if demo:
        check_account_letters(name)
    else:
        check_account_name(name)
    lock_names()
    _refuse_alike(name, "username", but=account)


def _refuse_alike(name: str, field: str, but: User | None = None) -> None:
    alike = skeleton(name)
    if executor := Executor.objects.filter(skeleton=alike).first():
        raise looks_like(name, executor.name, "the executor", field)
    others = User.objects.exclude(pk=but.pk) if but else User.objects.all()
    for other in others.values_list("username", flat=True).iterator():
        if skeleton(other) == alike:
            raise looks_like(name, other, "the account", field)
