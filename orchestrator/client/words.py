"""Words: what the commands of one area take. Each module of commands adds its own to a parser."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from orchestrator.client.connection import Connection
from orchestrator.client.reply import Reply

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

#: What does a command, with the options of its call.
Doing = Callable[[Connection, Namespace], Reply]


class Area(Protocol):
    """A module of commands."""

    def add_to(self, commands: "Commands") -> None: ...


def command(commands: "Commands", name: str, doing: Doing, meaning: str) -> ArgumentParser:
    """A new command, with the options that every command has."""
    parser = commands.add_parser(name, help=meaning, description=meaning)
    parser.set_defaults(doing=doing)
    parser.add_argument("--json", action="store_true", help="print what the server answered")
    return parser
