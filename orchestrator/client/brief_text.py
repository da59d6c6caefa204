"""A brief in lines, as a person or an agent reads it in a terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any


def brief_lines(claim: dict[str, Any], *, in_place: bool = False) -> Iterator[str]:
    """What a claim gives: the task, what it builds on, and what has to be proved. `in_place` for an agent
    that stands in the step's folder and is told otherwise how it hands over."""
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
    yield from _so_far(claim)
    yield from _place(brief, in_place)
    yield from _section("Builds on", (_upstream(entry) for entry in brief["upstream"]))
    yield from _plan(brief)
    yield from _section("To prove", (f"{c['id']}: {c['text']}" for c in claim["criteria"] if c["asked"]))
    if not in_place:
        yield from _handing_over(claim)


def _handing_over(claim: dict[str, Any]) -> Iterator[str]:
    brief = claim["brief"]
    if brief.get("verified_by"):
        yield f"Proved by: {brief['verified_by']}; commit, and hand over with --commit"
    if outcomes := brief.get("outcomes"):
        yield f"It ends with one of these words: --result {' | '.join(outcomes)}"
    yield from _section(
        "Shown in part",
        (f"{one['what']}: {one['shown']} of {one['of']}" for one in brief.get("left_out", ())),
    )
    if brief.get("left_out"):
        yield f"All of it: orchestrator next --json, or {brief['address']}"
    yield ""
    asked = any(criterion["asked"] for criterion in claim["criteria"])
    how = '"…" --evidence ID=…' if asked else '"what was done, and how it was checked"'
    yield f'Next: orchestrator note "…" as you go, then orchestrator done {how}'


def _so_far(claim: dict[str, Any]) -> Iterator[str]:
    """What was said of it before: the last word, how earlier attempts ended, what people answered, and why it
    is done again."""
    brief, told = claim["brief"], list[str]()
    if rework := brief.get("rework"):
        told.append(f"done again: {rework['reason']}")
    for one in brief.get("earlier_attempts", ()):
        said = (one["error"] or one["outcome"]).strip().splitlines()
        told.append(f"attempt {one['number']} {one['status']}: {said[0] if said else 'nothing was said'}")
    if word := claim["attempt"].get("breadcrumb"):
        told.append(f"last word: {word}")
    for one in brief.get("interventions", ()):
        told.append(f"asked: {one['note']}")
        told += [f"answered: {one['answer']}"] if one["answer"] else []
    yield from _section("So far", told)


def _plan(brief: dict[str, Any]) -> Iterator[str]:
    around = (brief.get("place") or {}).get("plan") or {}
    if around.get("text"):
        lines = around["text"].splitlines()
        title = f"The plan around it, from line {around['first_line']} of {around['file']} in the workspace"
        yield from _section(title, [f"| {line}" for line in lines])


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


def _place(brief: dict[str, Any], in_place: bool) -> Iterator[str]:
    place = brief.get("place") or {}
    path = place.get("path") or ""
    told = [f"folder: {path}"] if path and not in_place else []
    told += [
        f"{name.replace('_', ' ')}: {place[name]}"
        for name in ("worktree", "branch", "base", "start", "repository")
        if place.get(name)
    ]
    if commits := place.get("commits"):
        before = [f"{one['key']} ({one['commit'][:12]})" for one in commits]
        told.append(f"with the work of: {', '.join(before)}")
    if files := place.get("owned_files"):
        told.append(f"your files: {', '.join(files)}")
    if place.get("repository") and place.get("state") != "ready" and place.get("said"):
        told.append(place["said"])
    yield from _section("Where", told)
    if place.get("checkout") and not in_place and not Path(path).is_dir():
        push = f"git push {place['checkout'][0].split()[2]} HEAD:{place['push_to']}"
        yield from _section("On this machine, which has no such folder", [*place["checkout"], push])
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
