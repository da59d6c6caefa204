"""`manage.py mcp`: the MCP server over standard input and output, or over HTTP on this machine (LC-8)."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from orchestrator.core.errors import NotSignedIn, Refusal, TokenExpired
from orchestrator.processes.supervisor import port_is_taken
from orchestrator.services.people.callers import Caller, caller_by_token, member_by_command

TOKEN_VARIABLE = "ORCHESTRATOR_TOKEN"  # noqa: S105 (the name of a variable, not a secret)
WAY_IN = f"Set {TOKEN_VARIABLE} to the token of an executor, or name one with --executor."
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Command(BaseCommand):
    help = (
        "Serve the MCP tools over stdio. The executor signs in with the token in ORCHESTRATOR_TOKEN; "
        "--executor names one instead, for whoever runs this machine. With --http it serves every executor, "
        "each by the bearer token of its requests, at http://127.0.0.1:PORT/mcp."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--executor", metavar="NAME", help="act as this registered executor, without a token"
        )
        parser.add_argument(
            "--profile",
            choices=["agent", "full"],
            default=settings.MCP_PROFILE,
            help="agent: what an agent works with, in few words; full: every tool",
        )
        parser.add_argument("--http", action="store_true", help="streamable HTTP instead of stdio")
        parser.add_argument("--host", default=LOOPBACK[0], help="an address of this machine")
        parser.add_argument("--port", type=int, default=settings.MCP_PORT or 8765)

    def handle(
        self, *_: Any, executor: str | None, profile: Any, http: bool, host: str, port: int, **__: Any
    ) -> None:
        if http:
            self._serve(profile, host, port, executor)
            return
        sign_in = _sign_in(executor)
        try:
            sign_in()
        except (NotSignedIn, TokenExpired) as refusal:
            raise CommandError(f"{TOKEN_VARIABLE} is not accepted. {refusal.message} {WAY_IN}") from None
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from None
        # Half a second of imports that no other command should pay for.
        from orchestrator.mcp.server import build_server

        build_server(sign_in, profile).run("stdio")

    def _serve(self, profile: Any, host: str, port: int, executor: str | None) -> None:
        if executor:
            raise CommandError("Over HTTP every request signs in with a token: leave out --executor.")
        if host not in LOOPBACK:
            raise CommandError(
                f"MCP over HTTP listens on this machine only, not on {host}. Put a proxy with TLS before it."
            )
        if port_is_taken(host, port):
            raise CommandError(f"Port {port} on {host} is taken. Choose another with --port, or MCP_PORT.")
        from orchestrator.mcp.http import serve

        serve(profile, host, port)


def _sign_in(executor: str | None) -> Callable[[], Caller]:
    if executor:
        return partial(member_by_command, executor)
    secret = os.environ.get(TOKEN_VARIABLE)
    if not secret:
        raise CommandError(WAY_IN)
    return lambda: caller_by_token(secret, timezone.now())
