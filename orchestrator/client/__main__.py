"""`orchestrator`: one call of the command line, from its words to its exit code."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Final

from orchestrator.client import VERSION, completion, doing, look, plans, setup, work
from orchestrator.client.connection import ServerRefused, Unreachable
from orchestrator.client.login import Misconfigured, find_login
from orchestrator.client.reply import Exit, Reply
from orchestrator.client.words import Area

AREAS: Final[tuple[Area, ...]] = (work, doing, look, plans, setup, completion)
ENDINGS: Final = """exit codes:
  0  done
  1  refused; the message says why and what to do next
  2  the words of the call are wrong
  3  there is nothing to do now
  4  no server answered; make the call again

The server's address and the token come from --url and --token-file, else from ORCHESTRATOR_URL and
ORCHESTRATOR_TOKEN, else from the file that `orchestrator setup` writes."""


def parser() -> ArgumentParser:
    found = ArgumentParser(
        prog="orchestrator",
        description="Take the next step of a plan, do it, and prove it.",
        epilog=ENDINGS,
        formatter_class=RawDescriptionHelpFormatter,
    )
    found.add_argument("--version", action="version", version=f"orchestrator {VERSION}")
    found.add_argument("--url", default="", help="the server, such as http://127.0.0.1:8000")
    found.add_argument("--token-file", default="", metavar="FILE", help="has the token and nothing else")
    commands = found.add_subparsers(required=True, metavar="COMMAND")
    for area in AREAS:
        area.add_to(commands)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        code = _done(parser().parse_args(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has enough. The stream is closed here, so that nothing complains at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return 130
    return code


def _done(options: Namespace) -> int:
    try:
        if local := getattr(options, "here", None):
            answer = local(options)
        else:
            answer = options.doing(find_login(options.url, options.token_file).connection(), options)
    except ServerRefused as refusal:
        return _refused(refusal, options)
    except Unreachable as problem:
        return _complain(f"{problem} Start it, or name another with --url.", Exit.UNREACHABLE)
    except Misconfigured as problem:
        return _complain(str(problem), Exit.USAGE)
    except (OSError, UnicodeDecodeError) as problem:
        if isinstance(problem, BrokenPipeError):
            raise
        return _complain(f"A file cannot be read: {problem}.", Exit.USAGE)
    return _print(answer, options)


def _print(answer: Reply, options: Namespace) -> int:
    if isinstance(answer.data, dict) and (masked := answer.data.get("masked")):
        print(masked["sentence"], file=sys.stderr)
    if getattr(options, "json", False):
        print(json.dumps(answer.data, ensure_ascii=False, indent=2))
    else:
        for line in answer.lines:
            print(line)
    return answer.code


def _refused(refusal: ServerRefused, options: Namespace) -> int:
    if getattr(options, "json", False):
        print(json.dumps(refusal.answer, ensure_ascii=False, indent=2))
        return Exit.REFUSED
    for line in plans.finding_lines(dict(refusal.answer)):
        print(line, file=sys.stderr)
    return _complain(f"{refusal.message} {refusal.recovery}".strip(), Exit.REFUSED)


def _complain(text: str, code: Exit) -> int:
    print(text, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
