"""Clients: where each coding agent looks for MCP servers in a repository, and what it wants to read there.

The token is never written into a repository: every entry names the environment variable that has it.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: What the server is called in the files of clients.
NAME: Final = "orchestrator"
VARIABLE: Final = "ORCHESTRATOR_TOKEN"


class BrokenFile(Exception):
    """A client's file is there and is not what it should be; it is left as it is."""


@dataclass(frozen=True)
class Client:
    """A coding agent: `file` is where it looks, in the repository. `merged(text, url)` is the text of that
    file with the entry for the server at `url` and everything else as it was; BrokenFile for a broken one."""

    name: str
    file: str
    merged: Callable[[str, str], str]


def _json(*path: str, entry: Callable[[str], Mapping[str, object]]) -> Callable[[str, str], str]:
    """A file of JSON in which the entry stands under these names."""

    def merged(text: str, url: str) -> str:
        whole = _object(text)
        inner = whole
        for name in path:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise BrokenFile(f"{name} is no object in it")
        inner[NAME] = dict(entry(url))
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

    return merged


def _object(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise BrokenFile(f"it is no JSON: {error}") from error
    if not isinstance(whole, dict):
        raise BrokenFile("it is no JSON object")
    return whole


def _toml(text: str, url: str) -> str:
    """The table is added, and an earlier one of ours is replaced, line by line, so that comments stay."""
    ours = f'[mcp_servers.{NAME}]\nurl = {json.dumps(url)}\nbearer_token_env_var = "{VARIABLE}"\n'
    try:
        known = tomllib.loads(text).get("mcp_servers", {}).get(NAME)
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise BrokenFile(f"it is no TOML of that client: {error}") from error
    if known is None:
        return f"{text.rstrip()}\n\n{ours}".lstrip()
    kept, inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            inside = line.strip().startswith(f"[mcp_servers.{NAME}]")
        if not inside:
            kept.append(line)
    return f"{chr(10).join(kept).rstrip()}\n\n{ours}".lstrip()


def _bearer(variable: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {variable}"}


CLIENTS: Final[Mapping[str, Client]] = {
    client.name: client
    for client in (
        Client(
            "claude",
            ".mcp.json",
            _json(
                "mcpServers",
                entry=lambda url: {"type": "http", "url": url, "headers": _bearer(f"${{{VARIABLE}}}")},
            ),
        ),
        Client("codex", ".codex/config.toml", _toml),
        Client(
            "cursor",
            ".cursor/mcp.json",
            _json("mcpServers", entry=lambda url: {"url": url, "headers": _bearer(f"${{env:{VARIABLE}}}")}),
        ),
        Client(
            "gemini",
            ".gemini/settings.json",
            _json("mcpServers", entry=lambda url: {"httpUrl": url, "headers": _bearer(f"${VARIABLE}")}),
        ),
        Client(
            "opencode",
            "opencode.json",
            _json(
                "mcp",
                entry=lambda url: {
                    "type": "remote",
                    "url": url,
                    "enabled": True,
                    "headers": _bearer(f"{{env:{VARIABLE}}}"),
                },
            ),
        ),
        Client(
            "vscode",
            ".vscode/mcp.json",
            _json(
                "servers",
                entry=lambda url: {"type": "http", "url": url, "headers": _bearer(f"${{env:{VARIABLE}}}")},
            ),
        ),
    )
}
