"""Agent: a coding agent that runs without a terminal, by its description in `agents.toml` (AD-6)."""

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, cast

from orchestrator.client.login import Misconfigured
from orchestrator.client.source import read_source
from orchestrator.client.usage import (
    COST,
    Places,
    at,
    objects_in,
    objects_of_lines,
    read_places,
    used_in_objects,
    used_in_text,
)

#: The agent that is any program.
GENERIC: Final = "generic"
PROMPTS, ANSWERS = ("stdin", "argument", "file"), ("text", "json", "lines")
#: What every agent is given of the environment.
EVERYBODY: Final = ("PATH", "HOME", "LANG", "TERM", "TMPDIR")
ASKS: Final = re.compile(r"^ASK: *(\S.*)$", re.MULTILINE)
PROVES: Final = re.compile(r"^PROOF +(\d+): *(\S.*)$", re.MULTILINE)

#: Ends of names whose values are addresses and folders; other values from this length on are masked.
NO_SECRETS, SHORTEST = ("_URL", "_DIR", "_HOME"), 6


@dataclass(frozen=True)
class Ending:
    """What an agent said at last: a `question` for a person, or what was done (`outcome`) with the proof of
    each criterion by its id."""

    outcome: str
    proofs: Mapping[str, str]
    question: str


@dataclass(frozen=True)
class Agent:
    """How one agent is started, given the brief, and understood."""

    name: str
    command: tuple[str, ...]
    prompt: Literal["stdin", "argument", "file"]
    answer: Literal["text", "json", "lines"]
    said: str
    needs: tuple[str, ...]
    usage: Places
    aside: str = ""

    def is_installed(self, path: str | None) -> bool:
        """Whether its program is found, in the folders of a PATH; one that is named from the folder it works
        in (`./agent.sh`) may be there."""
        program = self.command[0]
        from_there = "/" in program and not program.startswith("/")
        return from_there or shutil.which(program, path=path) is not None

    def environment(self, whole: Mapping[str, str], more: tuple[str, ...] = ()) -> dict[str, str]:
        """What it is given of an environment: only what is named, and never our own token."""
        return {name: whole[name] for name in (*EVERYBODY, *self.needs, *more) if name in whole}

    def without_secrets(self, output: str, environment: Mapping[str, str]) -> str:
        """What it printed without the values of the variables that it alone was given, before it is sent."""
        for name, value in environment.items():
            if name not in EVERYBODY and not name.endswith(NO_SECRETS) and len(value) >= SHORTEST:
                output = output.replace(value, f"[masked {name}]")
        return output

    def words(self, prompt: str, file: Path) -> list[str]:
        return [word.replace("{prompt}", prompt).replace("{file}", str(file)) for word in self.command]

    def ending(self, output: str) -> Ending:
        """What its output says; words that cannot be found in it are the whole of it."""
        said = self._said(output).strip()
        asked = ASKS.findall(said)
        proofs = {pk: text.strip() for pk, text in PROVES.findall(said)}
        told = [line for line in said.splitlines() if line.strip() and not PROVES.match(line)]
        return Ending(told[-1].strip() if told else "", proofs, asked[-1].strip() if asked else "")

    def used(self, output: str, seconds: float, lines: Iterable[str] = ()) -> dict[str, Any]:
        """What a run used, as a word to the server takes it: the time, and what its output says of tokens,
        money and the model (`usage`). `lines` are those of all that it printed, where `output` is a part."""
        told: dict[str, Any] = {"seconds": round(seconds)}
        if self.answer == "text":
            told |= used_in_text(self.usage, output)
        elif self.answer == "lines":
            told |= used_in_objects(self.usage, objects_of_lines(lines or output.splitlines()))
        else:
            told |= used_in_objects(self.usage, objects_in(output))
        if cost := told.pop(COST, 0):
            told |= {"cost": f"{cost:.6f}", "currency": "USD"}
        return told

    def _said(self, output: str) -> str:
        if self.answer == "text":
            return re.sub(self.aside, "", output, flags=re.MULTILINE) if self.aside else output
        lines = self.answer == "lines"
        found = objects_of_lines(output.splitlines()) if lines else objects_in(output)
        said = [text for one in found for text in at(one, self.said) if isinstance(text, str)]
        return said[-1] if said else output


def find_agent(name: str, file: str = "", command: str = "") -> Agent:
    """The agent of that name, of the given file or of those known here; with `command` any program: it reads
    the brief from its standard input, or where `{prompt}` or `{file}` stands in the command. Raises
    `Misconfigured` with the names that there are."""
    if command:
        return Agent(name or GENERIC, tuple(_words_of(command)), _prompt_of(command), "text", "", (), {})
    if name == GENERIC:
        raise Misconfigured("The generic agent is any program: say with --command how it is started.")
    known = _described(files("orchestrator.client").joinpath("agents.toml").read_text(encoding="utf-8"))
    if file:
        known |= _described(read_source(file).decode())
    if name not in known:
        raise Misconfigured(f"There is no agent {name!r}; there are {', '.join(sorted({*known, GENERIC}))}.")
    return known[name]


def _words_of(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise Misconfigured(f"The command cannot be split into words: {error}.") from error


def _prompt_of(command: str) -> Literal["stdin", "argument", "file"]:
    if "{prompt}" in command:
        return "argument"
    return "file" if "{file}" in command else "stdin"


def _described(text: str) -> dict[str, Agent]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"The file of agents is no TOML: {error}.") from error
    return {name: _agent(name, table) for name, table in tables.items()}


def _agent(name: str, table: object) -> Agent:
    if not isinstance(table, Mapping):
        raise Misconfigured(f"{name} is no table of an agent.")
    command, needs = table.get("command"), table.get("needs", [])
    for member, words in (("command", command), ("needs", needs)):
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise Misconfigured(f"{member} of the agent {name} is a list of words.")
    prompt, answer = table.get("prompt", "stdin"), table.get("answer", "text")
    if not command or prompt not in PROMPTS or answer not in ANSWERS:
        values = f"prompt = {' | '.join(PROMPTS)} and answer = {' | '.join(ANSWERS)}"
        raise Misconfigured(f"The agent {name} needs a command, {values}.")
    usage = read_places(name, table.get("usage", {}), in_text=answer == "text")
    aside, said = _aside(name, table.get("aside", "")), str(table.get("said", ""))
    words, wanted = tuple(cast(list[str], command)), tuple(cast(list[str], needs))
    return Agent(name, words, prompt, answer, said, wanted, usage, aside)


def _aside(name: str, expression: object) -> str:
    try:
        re.compile(str(expression))
    except re.error as problem:
        raise Misconfigured(f"aside of the agent {name} is no expression: {problem}.") from problem
    return str(expression)
