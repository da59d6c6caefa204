"""`manage.py create_token --executor NAME`: a secret for REST and MCP, printed once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Executor
from orchestrator.queries.base.roles import scopes_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.executors import SCOPES, issue_token, register_executor

#: Days that a token works where nothing else is said, and the most that can be asked for.
DAYS = 90
LONGEST = 3650


class Command(BaseCommand):
    help = "Issue a token for an executor; with --user, register the executor for that account first."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--executor", required=True)
        parser.add_argument("--user", help="account a new executor acts for")
        parser.add_argument(
            "--kind",
            choices=[ExecutorKind.AGENT.value, ExecutorKind.TOOL.value],
            help="what a new executor is; default: agent. A person's token is made in the browser",
        )
        parser.add_argument("--label", default="command line")
        parser.add_argument(
            "--days", type=int, default=DAYS, help=f"how long it works, 0 for ever; default: {DAYS}"
        )
        usable = "default: all that the account can use"
        parser.add_argument("--scope", action="append", choices=sorted(SCOPES), help=usable)

    def handle(
        self,
        *,
        executor: str,
        user: str | None,
        kind: str | None,
        label: str,
        days: int,
        scope: list[str] | None,
        **_options: Any,
    ) -> None:
        if not 0 <= days <= LONGEST:
            raise CommandError(f"--days is a number from 0 to {LONGEST}.")
        now = timezone.now()
        try:
            owner = _executor(executor, user, kind)
            token, secret = issue_token(
                executor=owner,
                label=label,
                scopes=frozenset(scope or scopes_of(owner.user)),
                actor=Actor.operator(owner.user),
                now=now,
                expires_at=now + timedelta(days=days) if days else None,
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "until it is revoked"
        self.stdout.write(f"{owner.label}; it may {', '.join(token.scopes.split())}; it works {until}.")
        self.stdout.write(f"Token for {owner.name}, shown once: {secret}")


def _executor(name: str, user: str | None, kind: str | None) -> Executor:
    if user is None and kind is not None:
        raise CommandError("--kind is of a new executor: add --user ACCOUNT to register it.")
    if user is None:
        executor = Executor.objects.select_related("user").filter(name=name).first()
        if executor is None:
            raise CommandError(f"There is no executor {name}; add --user ACCOUNT to register it.")
        return executor
    account = User.objects.filter(username=user).first()
    if account is None:
        raise CommandError(f"There is no account {user}.")
    kinds = ExecutorKind(kind or ExecutorKind.AGENT)
    return register_executor(name=name, kind=kinds, user=account, now=timezone.now())
