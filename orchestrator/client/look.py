"""Look: how work stands, why it waits, and who is asked."""

import time
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from orchestrator.client.connection import Connection
from orchestrator.client.reply import Exit, Reply, count
from orchestrator.client.words import command
from orchestrator.client.workstreams import find_workstream

if TYPE_CHECKING:
    from orchestrator.client.words import Commands

#: Seconds between two looks while watching.
PAUSE: Final = 2
MARKS: Final = {
    "complete": "✓",
    "skipped": "–",
    "cancelled": "–",
    "active": "▶",
    "review": "?",
    "blocked": "!",
    "pending": "·",
}


def add_to(commands: "Commands") -> None:
    parser = command(commands, "status", status, "All open workstreams, or one with its steps.")
    parser.add_argument("workstream", nargs="?", default="", help="its name")
    parser = command(
        commands, "tree", tree, "Stages, batches, threads and steps of a workstream, with their state."
    )
    parser.add_argument("workstream", help="its name")
    parser = command(commands, "why", why, "Why a workstream or a step is not moving, to the root.")
    parser.add_argument("workstream", help="its name")
    parser.add_argument("key", nargs="?", default="", help="the key of a step, such as A1")
    command(commands, "gates", gates, "Gates that wait for a signature.")
    parser = command(commands, "watch", watch, "Print what happens in a workstream until it is finished.")
    parser.add_argument("workstream", help="its name")
    parser.add_argument(
        "--for", dest="seconds", type=int, default=0, metavar="SECONDS", help="look so long; 0: no end"
    )


def status(connection: Connection, options: Namespace) -> Reply:
    if options.workstream:
        return tree(connection, options)
    facts = connection.get("workstreams/", limit=100)
    lines = [_workstream_line(entry) for entry in facts["items"]]
    return Reply(facts, (count(facts["count"], "workstream"), *lines))


def _workstream_line(entry: dict[str, Any]) -> str:
    done, still = entry["done_tasks"], entry["open_tasks"]
    blocked = f", {entry['blocked_tasks']} blocked" if entry["blocked_tasks"] else ""
    over = f", over budget: {entry['over_budget']}" if entry.get("over_budget") else ""
    return f"  {entry['slug']}: {entry['status']}, {done} of {done + still} done{blocked}{over}"


def tree(connection: Connection, options: Namespace) -> Reply:
    facts = find_workstream(connection, options.workstream)
    return Reply(facts, (_workstream_line(facts).strip(), *_outline_lines(facts)))


def _outline_lines(facts: dict[str, Any]) -> Iterator[str]:
    """Stages, their batches, their threads, their steps; a gate stands in a batch of its own."""
    tasks = {task["key"]: task for task in facts["tasks"]}
    for stage in facts["outline"]:
        yield f"Stage {stage['number']}: {stage['name']}"
        for batch in stage["batches"]:
            yield f"  Batch {batch['prefix']}: {batch['name']}"
            for thread in batch["threads"]:
                worktree = f"  {thread['worktree']}" if thread["worktree"] else ""
                alone = len(thread["steps"]) == 1 and thread["lane"] == thread["steps"][0]
                yield from () if alone else (f"    {thread['lane']}: {thread['name']}{worktree}",)
                yield from (_task_line(tasks[key]) for key in thread["steps"] if key in tasks)


def _task_line(task: dict[str, Any]) -> str:
    told = task["explanation"]["sentence"] if task["explanation"] else task["status"]
    mark = MARKS.get(task["status"], " ")
    attempt = task["attempt"] or {}
    holder = f", {attempt['executor']}" if attempt.get("executor") else ""
    holder += f", {attempt['branch']} from {attempt['base'][:12]}" if attempt.get("branch") else ""
    said = f"      {mark} {task['key']}  {task['title']}  {task['status']}"
    said += f", {task['proof']}" if task["proof"] else holder
    return said + ("" if mark in "✓–" else f"\n          {told}")


def why(connection: Connection, options: Namespace) -> Reply:
    found = find_workstream(connection, options.workstream)
    if not options.key:
        return _why(connection.get(f"workstreams/{found['uuid']}/why/"))
    for task in found["tasks"]:
        if task["key"] == options.key:
            return _why(connection.get(f"tasks/{task['id']}/why/"))
    known = ", ".join(task["key"] for task in found["tasks"][:20])
    return Reply(None, (f"{found['slug']} has no step {options.key}; it has {known}.",), Exit.REFUSED)


def _why(facts: dict[str, Any]) -> Reply:
    also = (f"  also: {entry['sentence']}" for entry in facts["also"])
    return Reply(facts, (facts["sentence"], *also))


def gates(connection: Connection, _options: Namespace) -> Reply:
    facts = connection.get("gates/")
    if not facts["items"]:
        return Reply(facts, ("No gate waits for a signature.",), Exit.NOTHING)
    return Reply(facts, tuple(line for gate in facts["items"] for line in _gate_lines(gate)))


def _gate_lines(gate: dict[str, Any]) -> Iterator[str]:
    yield f"{gate['key']}  {gate['title']}"
    signed = f", signed by {', '.join(gate['signed'])}" if gate["signed"] else ""
    yield f"  needs {count(gate['needed'], 'signature')} of {', '.join(gate['asked'])}{signed}"


def watch(connection: Connection, options: Namespace) -> Reply:
    """Prints while it looks; what it answers at last is only how it stands then."""
    seen: dict[str, str] = {}
    until = time.monotonic() + options.seconds if options.seconds else None
    while True:
        facts = find_workstream(connection, options.workstream)
        for task in facts["tasks"]:
            line = _task_line(task)
            if seen.get(task["key"]) != line and not options.json:
                print(line, flush=True)
            seen[task["key"]] = line
        if facts["finished"] or facts["status"] in ("completed", "archived"):
            return Reply(facts, (f"{facts['slug']} is finished.",))
        if until is not None and time.monotonic() >= until:
            return Reply(facts, (_workstream_line(facts).strip(),), Exit.NOTHING)
        time.sleep(PAUSE)
