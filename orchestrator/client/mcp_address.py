"""MCP address: where the server's MCP listens. The server says it, and it is tried from here (FR-027)."""

import json
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request

from orchestrator.client.connection import ServerRefused, Unreachable, new_opener
from orchestrator.client.login import Login, Misconfigured

#: Where the MCP server of an installation listens that was started apart from the server.
USUAL: Final = "http://127.0.0.1:8765/mcp"
#: Seconds to wait for it, and bytes that are read of its answer.
PATIENCE, LARGEST = 2.0, 100_000
#: What it answers to a call without a token.
UNSIGNED, WORD = 401, "not-signed-in"
NAME_IT: Final = "or name the address with --mcp."


def find_mcp(login: Login) -> tuple[str, str]:
    """The address at which an MCP server of ours answers, and empty; else empty, and why in a sentence."""
    try:
        connection = login.connection()
        said = str(connection.get("mcp")["address"])
    except Misconfigured as problem:
        return _usual(f"The server was not asked where MCP listens: {problem} Then call again, {NAME_IT}")
    except Unreachable as problem:
        return "", f"{problem} So nobody says where MCP listens: start the server and call again, {NAME_IT}"
    except ServerRefused as refusal:
        return _usual(f"{login.url} does not say where MCP listens: {refusal.message} Say it with --mcp.")
    if not said:
        return _usual(
            f"{connection.url} has no MCP over HTTP: start it with MCP_PORT=8765 and call again, {NAME_IT}"
        )
    if not is_ours(said):
        return "", (
            f"The MCP server at {said} does not answer from here: it listens on the server's machine only. "
            f"Start it there, {NAME_IT}"
        )
    return said, ""


def is_ours(address: str) -> bool:
    """Whether an MCP server of an orchestrator answers there: it asks for a token in our words."""
    try:
        # The address is the one that the server named, by HTTP.
        with new_opener().open(Request(address), timeout=PATIENCE):  # noqa: S310
            return False
    except HTTPError as error:
        with error:
            return error.code == UNSIGNED and _word(error.read(LARGEST)) == WORD
    except (URLError, HTTPException, OSError, ValueError):
        return False


def _usual(why_not: str) -> tuple[str, str]:
    return (USUAL, "") if is_ours(USUAL) else ("", why_not)


def _word(content: bytes) -> str:
    try:
        answer = json.loads(content)
    except ValueError:
        return ""
    return str(answer.get("code", "")) if isinstance(answer, dict) else ""
