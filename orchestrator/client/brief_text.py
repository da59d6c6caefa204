"""A brief in lines, as a person or an agent reads it in a terminal."""

from collections.abc import Iterator
from typing import Any


def brief_lines(claim: dict[str, Any]) -> Iterator[str]:
    """What a claim gives: the task, what it builds on, and what has to be proved."""
    brief, attempt = claim["brief"], claim["attempt"]
    task = brief["task"]
    yield ""
    yield f"{task['key']}  {task['title']}"
    yield f"workstream {task['workstream_slug']}, attempt {attempt['id']}, token {claim['token']}"
    if brief.get("summary"):
        yield brief["summary"]
    yield from spent_lines(attempt)
    if brief["details"]:
        yield ""
        yield from brief["details"].splitlines()
    yield from _place(brief)
    yield from _section("Builds on", (_upstream(entry) for entry in brief["upstream"]))
    yield from _section("To prove", (f"{c['id']}: {c['text']}" for c in claim["criteria"] if c["asked"]))
    if brief.get("verified_by"):
        yield f"Proved by: {brief['verified_by']}; commit, and hand over with --commit"
    yield ""
    asked = any(criterion["asked"] for criterion in claim["criteria"])
    how = '"…" --evidence ID=…' if asked else '"what was done, and how it was checked"'
    yield f'Next: orchestrator note "…" as you go, then orchestrator done {how}'


def held_lines(item: dict[str, Any]) -> Iterator[str]:
    """One held task: what it is, how far it is, what is still to be proved."""
    yield f"{item['key']}  {item['title']}"
    yield f"  workstream {item['workstream']}, since {item['since']}"
    yield f"  attempt {item['attempt']}, token {item['token']}"
    if item.get("branch"):
        yield f"  {item['path'] or item['worktree']}, branch {item['branch']}, from {item['base'][:12]}"
    if item.get("held"):
        yield f"  {item['held']}"
    yield from spent_lines(item)
    if item["breadcrumb"]:
        yield f"  last: {item['breadcrumb']}"
    for text in item["to_prove"]:
        yield f"  to prove: {text}"
    if told := item.get("verification"):
        yield f"  {told['sentence']}"
        yield from (f"    {line}" for line in told["log_end"].splitlines())


def spent_lines(attempt: dict[str, Any]) -> Iterator[str]:
    """That a budget is used up while it runs; an older server says nothing of it."""
    if spent := attempt.get("spent"):
        yield f"  {spent['sentence']}"


def _place(brief: dict[str, Any]) -> Iterator[str]:
    place = brief.get("place") or {}
    told = [
        f"{word}: {place[name]}"
        for word, name in (
            ("worktree", "worktree"),
            ("branch", "branch"),
            ("base", "base"),
            ("repository", "repository"),
        )
        if place.get(name)
    ]
    if files := place.get("owned_files"):
        told.append(f"your files: {', '.join(files)}")
    yield from _section("Where", told)
    if clash := place.get("conflict"):
        yield from _section("The work before it does not fit together", conflict_lines(clash))


def conflict_lines(clash: dict[str, Any]) -> Iterator[str]:
    """The files of a merge that stands open, and how to go on."""
    yield from (f"{one['path']}: {one['said']}" for one in clash["files"])
    if clash["left_off"]:
        yield f"and {clash['left_off']} more"
    yield clash["way_on"]


def _upstream(entry: dict[str, Any]) -> str:
    files = ", ".join(output["path"] for output in entry["outputs"])
    return f"{entry['step']}, attempt {entry['attempt']}: {files or entry['path']}"


def _section(title: str, lines: Iterator[str] | list[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in found)
