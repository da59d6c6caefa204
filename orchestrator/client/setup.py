"""Setup: makes a repository known to a coding agent: its MCP entry, and a section of AGENTS.md."""

import os
import socket
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from orchestrator.client.clients import CLIENTS, VARIABLE, BrokenFile, Client
from orchestrator.client.connection import Connection, ServerRefused, checked_url
from orchestrator.client.login import (
    HERE,
    Login,
    Misconfigured,
    find_login,
    is_token,
    named_url,
    settings_file,
)
from orchestrator.client.mcp_address import find_mcp
from orchestrator.client.reply import Reply

if TYPE_CHECKING:
    from orchestrator.client.words import Commands

#: How a server answers a token that it does not know.
UNKNOWN: Final = 401
#: Seconds to wait for the MCP server.
PATIENCE: Final = 1.0
BEGIN, END = "<!-- orchestrator: begin -->", "<!-- orchestrator: end -->"
SECTION: Final = f"""{BEGIN}
## Work from the orchestrator

Steps of approved plans are taken and handed over through the orchestrator, over MCP or with the command
`orchestrator`:

1. `orchestrator next --wait 60` claims the next step and prints its brief: what to do, where, what to prove.
2. Work only in the worktree and on the files that the brief names. Leave a note as you go:
   `orchestrator note "…"`.
3. Commit, then hand over: `orchestrator done "what was done" --commit HASH --evidence ID="the proof"`.
4. A question for a person: `orchestrator ask "…"`. It cannot be done: `orchestrator fail "…"`. Not now:
   `orchestrator release "how far it is"`.
5. After a break, `orchestrator mine` says what you hold. Nothing to do: `orchestrator why WORKSTREAM`.

A refusal says what is missing and what to do next; nothing was changed by it.
{END}
"""


def add_to(commands: "Commands") -> None:
    meaning = "Make this repository and the server known to a coding agent."
    parser = commands.add_parser("setup", help=meaning, description=meaning)
    parser.add_argument("client", choices=sorted(CLIENTS))
    parser.add_argument("--folder", default=".", help="the repository; this folder")
    parser.add_argument(
        "--mcp", default="", metavar="URL", help="the address of the MCP server; the server is asked for it"
    )
    parser.add_argument("--token", action="store_true", help="read a token from standard input and keep it")
    parser.add_argument(
        "--print", dest="printed", action="store_true", help="only show what would be written"
    )
    parser.set_defaults(here=set_up)
    meaning = "Print the token, for the environment of a client."
    parser = commands.add_parser("token", help=meaning, description=meaning)
    parser.set_defaults(here=token)


def set_up(options: Namespace) -> Reply:
    """Writes the client's file, AGENTS.md, and with `--token` the settings of this user. The client's file is
    left out, and the answer says why, where no MCP server is known to answer."""
    folder, client = Path(options.folder), CLIENTS[options.client]
    if not folder.is_dir():
        raise Misconfigured(f"There is no folder {folder}.")
    login = _login(options)
    mcp, said = (options.mcp, _silent(options.mcp)) if options.mcp else find_mcp(login)
    texts = {client.file: _entry(folder, client, mcp)} if mcp else {}
    texts["AGENTS.md"] = _agents(folder)
    told = [said] if said else []
    if not mcp:
        told.append(f"{client.file} is not written; the command `orchestrator` works without it.")
    if options.printed:
        lines = [line for name, text in texts.items() for line in (f"== {name}", *text.splitlines(), "")]
        return Reply(texts, (*lines, *told))
    kept = [_keep_token(login)] if options.token else []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    wrote = [f"Wrote {name}." for name in texts]
    reads = f'{client.name} reads the token from {VARIABLE}: export {VARIABLE}="$(orchestrator token)"'
    return Reply(list(texts), (*wrote, *kept, *((reads,) if mcp else ()), *told))


def _login(options: Namespace) -> Login:
    """Where the server is, with the token of standard input, or else the one that is there already."""
    if not options.token:
        return find_login(options.url, options.token_file)
    token = sys.stdin.readline().strip()
    if not token or not is_token(token):
        raise Misconfigured("Standard input has no token in its first line.")
    return Login(named_url(options.url) or HERE, token)


def _silent(mcp: str) -> str:
    """What is said where somebody named an address at which nothing listens now."""
    return "" if _listens(mcp) else f"Nothing answers at {mcp} now: start the server with MCP_PORT."


def _listens(url: str) -> bool:
    """Whether somebody listens there, which the file alone does not show."""
    try:
        parts = urlsplit(checked_url(url))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), PATIENCE).close()
    except (OSError, ValueError):
        return False
    return True


def _entry(folder: Path, client: Client, mcp: str) -> str:
    try:
        checked_url(mcp)
        return client.merged(_text(folder / client.file), mcp)
    except BrokenFile as problem:
        raise Misconfigured(
            f"{client.file} is left as it is: {problem}. Correct it and call again."
        ) from problem
    except ValueError as problem:
        raise Misconfigured(str(problem)) from problem


def _agents(folder: Path) -> str:
    """AGENTS.md with our section, which is replaced where it stands already; the rest is as it was."""
    text = _text(folder / "AGENTS.md")
    before, begin, rest = text.partition(BEGIN)
    if begin and END in rest:
        return f"{before}{SECTION}{rest.partition(END)[2].removeprefix(chr(10))}"
    return f"{text.rstrip()}\n\n{SECTION}".lstrip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _keep_token(login: Login) -> str:
    """The user's settings, for this user alone, with the address and the token of the call; what was done, in
    a sentence. A token that the server does not know is not kept."""
    connection, path = login.connection(), settings_file()
    tried = _listens(connection.url)
    if tried:
        _refuse_unknown(connection)
    _write(path, f'url = "{connection.url}"\ntoken = "{login.token}"\n')
    untried = "" if tried else " Nothing answers there now, so it was not tried."
    return f"Kept the token for {connection.url} in {path}.{untried}"


def _refuse_unknown(connection: Connection) -> None:
    try:
        connection.get("mine")
    except ServerRefused as refusal:
        if refusal.status == UNKNOWN:
            raise Misconfigured(f"Nothing was kept: {connection.url} does not take the token.") from refusal


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def token(options: Namespace) -> Reply:
    login = find_login(options.url, options.token_file)
    login.connection()
    return Reply(login.token, (login.token,))
