"""`manage.py mcp`: the MCP server over standard input and output (LC-8)."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from orchestrator.core.errors import NotSignedIn, Refusal, TokenExpired
from orchestrator.services.people.callers import Caller, caller_by_token, member_by_command

TOKEN_VARIABLE = "ORCHESTRATOR_TOKEN"  # noqa: S105 (the name of a variable, not a secret)
WAY_IN = f"Set {TOKEN_VARIABLE} to the token of an executor, or name one with --executor."


class Command(BaseCommand):
    help = (
        "Serve the MCP tools over stdio. The executor signs in with the token in ORCHESTRATOR_TOKEN; "
        "--executor names one instead, for whoever runs this machine."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--executor", metavar="NAME", help="act as this registered executor, without a token"
        )

    def handle(self, *_: Any, executor: str | None, **__: Any) -> None:
        sign_in = _sign_in(executor)
        try:
            sign_in()
        except (NotSignedIn, TokenExpired) as refusal:
            raise CommandError(f"{TOKEN_VARIABLE} is not accepted. {refusal.message} {WAY_IN}") from None
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from None
        # Half a second of imports that no other command should pay for.
        from orchestrator.mcp.server import build_server

        build_server(sign_in).run("stdio")


def _sign_in(executor: str | None) -> Callable[[], Caller]:
    if executor:
        return partial(member_by_command, executor)
    secret = os.environ.get(TOKEN_VARIABLE)
    if not secret:
        raise CommandError(WAY_IN)
    return lambda: caller_by_token(secret, timezone.now())
