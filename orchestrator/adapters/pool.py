"""The pool: which executors `serve` starts on this machine, from one file, `executors.toml` (AD-6).

One table an executor, under its name. With `tools` it runs those of the registered tools; with `agent` (one
that `orchestrator work` knows, or that `agents` describes) or `command` it is a coding agent, and works over
REST like one on another machine, as an agent of `account`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orchestrator.adapters.registry import that_run
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.names import check_executor_name

#: Executors of one file.
MOST: Final = 50
TEXTS: Final = ("agent", "agents", "command", "account", "workstream", "repository", "folder")


@dataclass(frozen=True, slots=True)
class PooledExecutor:
    """One table of the file; what it does not say is empty."""

    name: str
    tools: tuple[str, ...] = ()
    agent: str = ""
    agents: str = ""
    command: str = ""
    account: str = ""
    workstream: str = ""
    repository: str = ""
    folder: str = ""
    env: tuple[str, ...] = ()
    minutes: float = 30

    @property
    def is_agent(self) -> bool:
        return bool(self.agent or self.command)

    @property
    def what(self) -> str:
        """What it is, in a few words."""
        return f"agent: {self.agent or self.command}" if self.is_agent else f"tools: {', '.join(self.tools)}"

    @property
    def words(self) -> list[str]:
        """What `orchestrator` is called with to work as this agent."""
        given = [
            *(("--agent", self.agent) if self.agent else ()),
            *(("--agents", self.agents) if self.agents else ()),
            *(("--command", self.command) if self.command else ()),
            *(("--workstream", self.workstream) if self.workstream else ()),
            *(("--repository", self.repository) if self.repository else ()),
            *(("--folder", self.folder) if self.folder else ()),
            *(word for name in self.env for word in ("--env", name)),
        ]
        return ["work", *given, "--minutes", str(self.minutes)]


def read_pool(path: Path) -> tuple[PooledExecutor, ...]:
    """The executors of the file in its order; none where there is none. InvalidInput says what is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise _wrong(path, f"cannot be read: {problem}") from problem
    if len(tables) > MOST:
        raise _wrong(path, f"names {len(tables)} executors; {MOST} are the most.")
    return tuple(_executor(path, name, table) for name, table in tables.items())


def _executor(path: Path, name: str, table: object) -> PooledExecutor:
    if not isinstance(table, Mapping):
        raise _wrong(path, f"{name!r} is no table of an executor.")
    try:
        check_executor_name(name)
    except InvalidInput as refusal:
        raise _wrong(path, f"{name!r}: {refusal.message}") from refusal
    known = {*TEXTS, "tools", "env", "minutes"}
    if unknown := sorted(set(table) - known):
        raise _wrong(path, f"{name} has {', '.join(unknown)}; known are {', '.join(sorted(known))}.")
    said = {key: _text(path, name, key, table) for key in TEXTS}
    lists = {key: _list(path, name, key, table) for key in ("tools", "env")}
    minutes = table.get("minutes", 30)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= 1440:
        raise _wrong(path, f"minutes of {name} is a number up to 1440.")
    agent = said["agent"] or said["command"]
    if bool(lists["tools"]) == bool(agent):
        raise _wrong(path, f"{name} needs either tools, or an agent or command.")
    if agent and not said["account"]:
        raise _wrong(path, f"{name} needs an account, for whom the agent works.")
    if unknown := sorted(set(lists["tools"]) - set(that_run())):
        known_tools = ", ".join(sorted(that_run()))
        raise _wrong(path, f"{name} has the tools {', '.join(unknown)}; executors here run {known_tools}.")
    return PooledExecutor(name=name, minutes=float(minutes), **said, **lists)  # type: ignore[arg-type]


def _text(path: Path, name: str, key: str, table: Mapping[str, Any]) -> str:
    found = table.get(key, "")
    if not isinstance(found, str):
        raise _wrong(path, f"{key} of {name} is a text.")
    return found


def _list(path: Path, name: str, key: str, table: Mapping[str, Any]) -> tuple[str, ...]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise _wrong(path, f"{key} of {name} is a list of words.")
    return tuple(found)


def _wrong(path: Path, said: str) -> InvalidInput:
    return InvalidInput(f"{path.name}: {said}", recovery=f"Correct {path}.", field="executors")
