"""Work: take the next step, say how far it is, hand it over, or give it back."""

import base64
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.client.brief_text import brief_lines, held_lines, spent_lines
from orchestrator.client.connection import Connection
from orchestrator.client.held import HeldStep, held_attempt, take_next
from orchestrator.client.reply import Exit, Reply, count
from orchestrator.client.source import read_plain_file
from orchestrator.client.words import command

if TYPE_CHECKING:
    from orchestrator.client.words import Commands

#: Seconds that one call asks the server to wait for a verification, and the most that it waits for work.
LONGEST_WAIT, LONGEST_CALL = 10, 50


def add_to(commands: "Commands") -> None:
    _next(commands)
    parser = command(commands, "mine", mine, "What you hold, with tokens; enough to go on after a break.")
    parser = command(
        commands, "note", note, "Leave a note: the last thing that was done, for whoever continues."
    )
    _held(parser, "text", "what was done last")
    _usage_words(parser)
    _done(commands)
    parser = command(
        commands, "fail", fail, "Say that the step cannot be done; a person decides what follows."
    )
    _held(parser, "text", "what went wrong")
    _usage_words(parser)
    parser = command(commands, "release", release, "Give the step back without failing it.")
    _held(parser, "text", "how far it is, for whoever goes on")
    _usage_words(parser)
    parser = command(commands, "ask", ask, "Ask a person; the step waits until it is answered.")
    _held(parser, "text", "the question, with what the person needs to know")
    parser.add_argument(
        "--choice", action="append", default=[], metavar="TEXT", help="one of the answers; repeat"
    )


def _next(commands: "Commands") -> None:
    parser = command(commands, "next", next_step, "Claim the next step that you may do, or wait for one.")
    parser.add_argument("--wait", type=_seconds, default=0, metavar="SECONDS", help="wait for one so long; 0")
    parser.add_argument("--workstream", default="", metavar="NAME", help="only of this workstream")
    parser.add_argument("--repository", default="", metavar="NAME", help="only of plans of this repository")


def _done(commands: "Commands") -> None:
    parser = command(commands, "done", done, "Hand the step over, with evidence for what it has to prove.")
    _held(parser, "text", "what was done and how it was checked, in a sentence")
    _usage_words(parser)
    parser.add_argument(
        "--evidence",
        action="append",
        default=[],
        type=_evidence,
        metavar="ID=TEXT",
        help="how a criterion was proved; repeat. The ids are in the brief",
    )
    parser.add_argument(
        "--output", action="append", default=[], metavar="FILE", help="a file to hand over; repeat"
    )
    parser.add_argument("--commit", default="", help="the commit of the step's branch that has the work")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="wait so long for the result where a command proves the step; 0",
    )
    parser.add_argument(
        "--result", default="", metavar="WORD", help="the outcome, where the step declares any"
    )


def _usage_words(parser: ArgumentParser) -> None:
    """What was used since the word before."""
    parser.add_argument("--tokens-in", type=int, default=0, metavar="N", help="tokens read since then")
    parser.add_argument("--tokens-out", type=int, default=0, metavar="N", help="tokens written since then")
    parser.add_argument("--cost", default="", metavar="MONEY", help='what that cost, such as "0.42 USD"')
    parser.add_argument("--model", default="", help="the model")
    parser.add_argument("--seconds", type=int, default=0, metavar="N", help="how long it took")


def _usage(options: Namespace) -> dict[str, object]:
    """The member `usage` of a call, left out where nothing was said."""
    cost, _, currency = options.cost.partition(" ")
    said = {name: getattr(options, name) for name in ("tokens_in", "tokens_out", "model", "seconds")}
    said |= {"cost": cost, "currency": currency}
    return {"usage": {name: value for name, value in said.items() if value}} if any(said.values()) else {}


def _held(parser: ArgumentParser, name: str, meaning: str) -> None:
    parser.add_argument(name, help=meaning)
    parser.add_argument("--attempt", type=int, default=0, metavar="ID", help="which, if you hold several")


def next_step(connection: Connection, options: Namespace) -> Reply:
    wanted = {"workstream": options.workstream, "repository": options.repository}
    until = time.monotonic() + options.wait
    facts = take_next(connection, wanted, min(options.wait, LONGEST_CALL))
    while facts["claim"] is None and (left := int(until - time.monotonic())) > 0:
        facts = take_next(connection, wanted, min(left, LONGEST_CALL))
    if facts["claim"] is None:
        waiting = (_in_the_way(entry) for entry in facts["waiting"])
        return Reply(facts, (facts["sentence"], *waiting), Exit.NOTHING)
    return Reply(facts, (facts["sentence"], *brief_lines(facts["claim"])))


def _in_the_way(entry: dict[str, Any]) -> str:
    freed = f" ({', '.join(entry['freed_by'])}: {entry['to_do']})" if entry["freed_by"] else ""
    return f"  {entry['workstream']}: {entry['sentence']}{freed}"


def mine(connection: Connection, _options: Namespace) -> Reply:
    facts = connection.get("mine")
    if not facts["items"]:
        return Reply(facts, ("You hold nothing.",), Exit.NOTHING)
    lines = [line for item in facts["items"] for line in held_lines(item)]
    return Reply(facts, (f"You hold {count(facts['count'], 'step')}.", *lines))


def note(connection: Connection, options: Namespace) -> Reply:
    held = held_attempt(connection, options.attempt)
    body = held.with_token(breadcrumb=options.text, **_usage(options))
    facts = connection.post(f"attempts/{held.attempt}/report", body)
    waits = (facts["held"],) if facts.get("held") else ()
    return Reply(facts, (f"Noted at {held.key}.", *waits, *spent_lines(facts)))


def done(connection: Connection, options: Namespace) -> Reply:
    held = held_attempt(connection, options.attempt)
    body = held.with_token(
        outcome=options.text,
        evidence=dict(options.evidence),
        outputs={_name(path): _content(Path(path)) for path in options.output},
        commit=options.commit,
        result=options.result,
        **_usage(options),
    )
    handed: dict[str, Any] = connection.post(f"attempts/{held.attempt}/complete", body)
    facts = handed
    if options.wait and is_pending(facts):
        facts = verified(connection, held.attempt, options.wait)
    if "masked" in handed:  # said once, of what was sent
        facts = {**facts, "masked": handed["masked"]}
    if is_pending(facts):
        told = (facts["verification"]["sentence"], "`orchestrator mine` says what became of it.")
        return Reply(facts, (f"{held.key} is being verified.", *told))
    proof = (facts["verification"]["sentence"],) if facts.get("verification") else ()
    word = f", {facts['proof']}" if facts.get("proof") else ""
    told = (f"{held.key} is handed over{word}.", *proof, *_same(facts), *_touched(facts))
    return Reply(facts, told)


def _touched(facts: dict[str, Any]) -> tuple[str, ...]:
    """What the reviewer at the gate is told too."""
    if not facts.get("touched"):
        return ()
    return (f"The commit touches files that the step does not own: {', '.join(facts['touched'])}.",)


def is_pending(facts: dict[str, Any]) -> bool:
    """Whether what was handed in is being verified; an older server says nothing of it."""
    return bool(facts.get("verification")) and facts["verification"]["state"] == "pending"


def verified(connection: Connection, attempt: int, seconds: int) -> dict[str, Any]:
    """The attempt when its verification has ended, or so many seconds later. The server's refusal when it was
    red."""
    until = time.monotonic() + seconds
    while True:
        left = min(max(int(until - time.monotonic()), 0), LONGEST_WAIT)
        facts: dict[str, Any] = connection.get(f"attempts/{attempt}/verification", wait=left)
        if not is_pending(facts) or time.monotonic() >= until - 1:
            return facts


def _same(facts: dict[str, Any]) -> tuple[str, ...]:
    if facts["same_as"] is None:
        return ()
    return (f"It is the same result as attempt {facts['same_as']}, whose handover stands.",)


def fail(connection: Connection, options: Namespace) -> Reply:
    held = held_attempt(connection, options.attempt)
    body = held.with_token(error=options.text, **_usage(options))
    facts = connection.post(f"attempts/{held.attempt}/fail", body)
    return Reply(facts, (f"{held.key} has failed; a person decides what follows.",))


def release(connection: Connection, options: Namespace) -> Reply:
    held = held_attempt(connection, options.attempt)
    body = held.with_token(breadcrumb=options.text, **_usage(options))
    facts = connection.post(f"attempts/{held.attempt}/release", body)
    return Reply(facts, (f"{held.key} is given back.",))


def ask(connection: Connection, options: Namespace) -> Reply:
    held: HeldStep = held_attempt(connection, options.attempt)
    body = {"intervention_note": options.text, "choices": options.choice}
    facts = connection.post(f"tasks/{held.task}/flag", body)
    return Reply(
        facts, (f"{held.key} waits for a person. `orchestrator mine` has the answer once it is there.",)
    )


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) > 600:
        raise ArgumentTypeError(f"{text!r} is no number of seconds from 0 to 600")
    return int(text)


def _evidence(text: str) -> tuple[str, str]:
    criterion, equals, said = text.partition("=")
    if not equals or not criterion.strip().isdecimal() or not said.strip():
        raise ArgumentTypeError(f"{text!r} is not of the form ID=TEXT, with a criterion's id from the brief")
    return criterion.strip(), said.strip()


def _name(path: str) -> str:
    """Under the name that was given; one from the root is handed over under its last part."""
    return Path(path).name if Path(path).is_absolute() else Path(path).as_posix().removeprefix("./")


def _content(path: Path) -> str | dict[str, str]:
    content = read_plain_file(path)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
