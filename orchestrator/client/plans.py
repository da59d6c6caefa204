"""Plans: check a text, hand it in for review, approve the version that was read, compare."""

import difflib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.client.connection import Connection
from orchestrator.client.reply import Exit, Reply
from orchestrator.client.source import read_source
from orchestrator.client.words import command
from orchestrator.client.workstreams import find_workstream

if TYPE_CHECKING:
    from orchestrator.client.words import Commands


def add_to(commands: "Commands") -> None:
    parser = commands.add_parser("plan", help="Check, submit, approve or compare a plan.")
    acts = parser.add_subparsers(required=True, metavar="check|submit|approve|diff")
    _text(command(acts, "check", check, "What a reviewer would see of a plan; nothing is stored."))
    submit_parser = command(acts, "submit", submit, "Hand a plan in for review.")
    _text(submit_parser)
    submit_parser.add_argument(
        "--workstream", default="", metavar="NAME", help="as the next version of its plan"
    )
    submit_parser.add_argument("--reason", default="", help="why the plan changes")
    approving = command(
        acts, "approve", approve, "Approve exactly the text that was read. Needs a person's token."
    )
    approving.add_argument("workflow", help="its name")
    approving.add_argument("version", type=int)
    approving.add_argument("--sha256", required=True, help="of the text that was read, as submit printed it")
    approving.add_argument("--note", default="")
    comparing = command(acts, "diff", diff, "What a text changes in the plan that a workstream follows.")
    comparing.add_argument("workstream", help="its name")
    comparing.add_argument("file", help="- for standard input")


def _text(parser: ArgumentParser) -> None:
    parser.add_argument("file", help="- for standard input")
    parser.add_argument("--format", default=None, help="how it is read, where it is not to be recognised")


def check(connection: Connection, options: Namespace) -> Reply:
    facts = connection.post("plans/check", {"source": _source(options.file), "format": options.format})
    said = "It can be approved as it is." if facts["approvable"] else "It cannot be approved yet."
    code = Exit.DONE if facts["approvable"] else Exit.REFUSED
    return Reply(facts, (*finding_lines(facts), _account(facts), said), code)


def submit(connection: Connection, options: Namespace) -> Reply:
    body: dict[str, object] = {"source": _source(options.file), "format": options.format}
    if options.file != "-":
        body["source_name"] = Path(options.file).name
    if options.workstream:
        body["workstream"] = find_workstream(connection, options.workstream)["uuid"]
        body["change_reason"] = options.reason
    facts = connection.post("plans/", body)
    said = f"Version {facts['version']} of {facts['workstream_slug']} waits for review."
    return Reply(
        facts,
        (
            *finding_lines(facts),
            _account(facts),
            said,
            f"  {facts['review']}",
            f"  SHA-256 {facts['sha256']}",
        ),
    )


def approve(connection: Connection, options: Namespace) -> Reply:
    path = f"workflows/{options.workflow}/versions/{options.version}/approve"
    facts = connection.post(path, {"sha256": options.sha256, "note": options.note})
    return Reply(facts, (f"Version {options.version} of {options.workflow} is signed by you.",))


def diff(connection: Connection, options: Namespace) -> Reply:
    found = find_workstream(connection, options.workstream)
    plan = connection.get(f"workstreams/{found['uuid']}/plan")
    new = _source(options.file)
    named = f"{found['slug']}, version {plan['version']}"
    lines = tuple(
        difflib.unified_diff(plan["text"].splitlines(), new.splitlines(), named, options.file, lineterm="")
    )
    data = {
        "workstream": found["slug"],
        "version": plan["version"],
        "changed": bool(lines),
        "diff": list(lines),
    }
    return Reply(data, lines or ("No difference.",), Exit.REFUSED if lines else Exit.DONE)


def finding_lines(facts: dict[str, Any]) -> list[str]:
    """Findings as `line 4, blocks: …`, with what to do about each."""
    return [
        f"{_where(finding)}{finding['severity']}: {finding['message']} {finding['fix']}".rstrip()
        for finding in facts.get("findings", ())
    ]


def _where(finding: dict[str, Any]) -> str:
    return f"line {finding['line']}, " if finding.get("line") else ""


def _account(facts: dict[str, Any]) -> str:
    account = facts.get("account") or {}
    return str(account.get("sentence", ""))


def _source(name: str) -> str:
    return read_source(name).decode("utf-8-sig")
