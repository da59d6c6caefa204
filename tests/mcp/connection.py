"""The SDK's MCP client on the database of the test: `connected` to `manage.py mcp` in a process of its own,
`joined` to the same server in this one, a second and a half cheaper.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from mcp import Client, StdioServerParameters

from orchestrator.contract.refusals import BundleRefusalFacts, PlanRefusalFacts, RefusalFacts
from orchestrator.mcp.server import Profile, build_server
from orchestrator.services.people.callers import caller_by_token
from tests.conforming import conforms, tools

ROOT = Path(__file__).resolve().parents[2]
FULL = ("--profile", "full")


def server(*arguments: str, **environment: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=[str(ROOT / "manage.py"), "mcp", *(() if "--profile" in arguments else FULL), *arguments],
        env=process_environment() | environment,
        cwd=ROOT,
    )


def process_environment() -> dict[str, str]:
    """What makes another process use the test's database and the test's secret key (tokens are
    keyed hashes).
    """
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{values['NAME']}"
    else:
        login = ":".join(part for part in (values["USER"], values["PASSWORD"]) if part)
        url = f"postgres://{login}@{values['HOST']}:{values['PORT'] or 5432}/{values['NAME']}"
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "DATA_DIR": str(settings.DATA_DIR),
        "TESTS_WORKSPACE_DIR": str(settings.WORKSPACE_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }


@asynccontextmanager
async def connected(*arguments: str, **environment: str) -> AsyncIterator["Session"]:
    async with Client(server(*arguments, **environment), read_timeout_seconds=60) as client:
        yield Session(client)


@asynccontextmanager
async def joined(secret: str, profile: Profile = "full") -> AsyncIterator["Session"]:
    """As the executor of this token."""
    server = build_server(lambda: caller_by_token(secret, timezone.now()), profile)
    async with Client(server, read_timeout_seconds=60) as client:
        yield Session(client)


class Session:
    """Calls tools: `ok` answers with structured content, `refused` with the refusal, both as the contract."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ok(self, tool: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        assert result.structured_content is not None
        assert conforms(result.structured_content, tools()[tool]), "the answer is not what the tool declares"
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error
        assert result.structured_content is not None, result.content
        assert conforms(result.structured_content, PlanRefusalFacts | BundleRefusalFacts | RefusalFacts)
        assert result.structured_content["code"] in result.content[0].text
        assert result.structured_content["recovery"] in result.content[0].text
        return result.structured_content
