"""What the history says of signing in (FR-009).

That it happened, and that it was stopped after too many failures.
"""

from datetime import datetime

from django.contrib.auth.models import User

from orchestrator.core.actions import Action
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work


def record_sign_in(*, account: User, factors: str, now: datetime) -> None:
    """`factors` says what the person proved it with: `password`, `password and app`, `password and recovery
    code`.
    """
    with unit_of_work():
        record(
            workstream=None,
            actor=Actor.person(account),
            action=Action.SIGNED_IN,
            subject=account.get_username(),
            now=now,
            data={"with": factors},
        )


def record_locked_out(*, name: str, address: str, now: datetime) -> None:
    """Signing in is refused for a while.

    A name that no account has is not kept: people type passwords there.
    """
    with unit_of_work():
        account = User.objects.filter(username=name).first()
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.SIGN_IN_STOPPED,
            subject=account.get_username() if account else "a name that no account has",
            now=now,
            reason=f"Too many failed sign-ins; the last one came from {address}.",
        )


def record_token_guessing(*, address: str, now: datetime) -> None:
    with unit_of_work():
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.SIGN_IN_STOPPED,
            subject="tokens",
            now=now,
            reason=f"Too many wrong tokens from {address}.",
        )
