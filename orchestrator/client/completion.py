"""Completion: the words of every command, for the shell to offer."""

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from orchestrator.client.reply import Reply

if TYPE_CHECKING:
    from orchestrator.client.words import Commands

BASH: Final = """_orchestrator() {{
  local words="{top}" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in
{cases}
    esac
  done
  word="${{COMP_WORDS[COMP_CWORD]}}"
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}}
complete -F _orchestrator orchestrator"""


def add_to(commands: "Commands") -> None:
    meaning = 'Print the completion for a shell: eval "$(orchestrator completion bash)"'
    parser = commands.add_parser("completion", help="Print the completion for a shell.", description=meaning)
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parser.set_defaults(here=lambda options: Reply(None, tuple(_lines(commands, options))))


def _lines(commands: "Commands", options: Namespace) -> Iterator[str]:
    found = _words(commands)
    if options.shell == "fish":
        yield "complete -c orchestrator -f"
        for name, words in found.items():
            yield f"complete -c orchestrator -n __fish_use_subcommand -a {name}"
            for word in words:
                kind = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
                yield f"complete -c orchestrator -n '__fish_seen_subcommand_from {name}' {kind}"
        return
    if options.shell == "zsh":
        yield "autoload -Uz bashcompinit && bashcompinit"
    cases = "\n".join(f'      {name}) words="{" ".join(words)}" ;;' for name, words in found.items())
    yield BASH.format(top=" ".join(found), cases=cases)


def _words(commands: "Commands") -> dict[str, list[str]]:
    """What may follow each command: its options, or the commands below it."""
    return {name: sorted(_following(parser)) for name, parser in commands.choices.items()}


def _following(parser: ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            yield from action.choices
        yield from (word for word in action.option_strings if word.startswith("--"))
