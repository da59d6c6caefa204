"""A continuation as Markdown: what the next executor reads first (WF-9). The same rows give the same text."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import pydantic_core

from orchestrator.contract.briefs import (
    BreadcrumbFacts,
    Continuation,
    EarlierAttempt,
    Orientation,
    TaughtFacts,
)
from orchestrator.contract.places import ConflictFacts
from orchestrator.contract.rework import Returned, ToProve
from orchestrator.core.files.handoff import timestamp
from orchestrator.core.terms import CriterionKind
from orchestrator.queries.work.continuing import continuation
from orchestrator.queries.work.fitting import BRIEF_BYTES, fitted


def orientation(task_id: int) -> Orientation:
    """As facts and as Markdown, both together so short that they fit an agent's context; NotFound when there
    is no such task."""
    found = continuation(task_id)
    for most in _SHARES:
        shown, left_out = fitted(found, most)
        rest = tuple(replace(one, what=one.what.removeprefix("brief.")) for one in left_out)
        shown = replace(shown, brief=replace(shown.brief, left_out=rest))
        answer = Orientation(continuation_text(shown), shown)
        if len(pydantic_core.to_json(answer)) <= BRIEF_BYTES:
            break
    return answer


#: Bytes of the facts alone; the Markdown says the same in fewer or more of them.
_SHARES: Final = (6_500, 5_500, 4_500, 3_500, 2_500)


def continuation_text(found: Continuation) -> str:
    """Sections without anything to say are left out."""
    brief, task = found.brief, found.brief.task
    sections = [
        ("Where it stands", _where_it_stands(found)),
        ("What is asked", _asked(found)),
        ("Why it is done again", [_returned(decision) for decision in found.returned]),
        ("Still to prove", [_to_prove(criterion) for criterion in found.to_prove]),
        ("Breadcrumbs", [_crumb(breadcrumb) for breadcrumb in found.breadcrumbs]),
        ("Earlier attempts", [_attempt(attempt) for attempt in brief.earlier_attempts]),
        ("What it builds on", _upstream(found)),
        ("Files it has handed over so far", [f"`{output.path}`" for output in found.own_outputs]),
        ("Every output of the workstream", _documents(found)),
        (
            "Questions and answers",
            [_line(f"{i.note} ({i.raised_by})", i.answer or "not answered yet") for i in brief.interventions],
        ),
        ("Learnings", _learnings(found)),
        ("Left out here", _left_out(found)),
    ]
    head = f"# Continue {task.key}: {task.title}\n"
    return head + "".join(_section(title, lines) for title, lines in sections if lines)


def _section(title: str, lines: Iterable[str]) -> str:
    return f"\n## {title}\n\n" + "".join(f"- {line}\n" for line in lines)


def _where_it_stands(found: Continuation) -> list[str]:
    task = found.brief.task
    said = [_line("Workstream", task.workstream_slug), _line("Task", f"{task.id}, {task.status}")]
    if task.explanation:
        said.append(_line("Why", task.explanation.sentence))
    if task.attempt:
        holder = f", held by {task.attempt.claimed_as}" if task.attempt.executor else ", free to be claimed"
        said.append(
            _line(
                "Attempt",
                f"number {task.attempt.number} (id {task.attempt.id}), {task.attempt.status}{holder}",
            )
        )
    if task.needs_human:
        said.append(_line("Waits for a person", task.intervention_note))
    return said


def _asked(found: Continuation) -> list[str]:
    """What stands below as still to be proved is not said here as well."""
    brief, place = found.brief, found.brief.place
    proved_below = {one.id for one in found.to_prove}
    said = [
        ("Details", brief.details),
        ("Place", f"{place.stage} / {place.batch} / {place.thread}"),
        ("Role", brief.role),
        ("Tool", f"{brief.tool} {brief.run}".strip()),
        ("Needs", ", ".join(brief.needs)),
        ("Owned files", ", ".join([*place.owned_files, *brief.files])),
        ("Resources", ", ".join(brief.resources)),
        ("Worktree", place.worktree),
        ("Works in", f"{place.path}, branch {place.branch}, from {place.start}" if place.path else ""),
        ("Place", place.said if place.repository else ""),
        ("Conflict", _conflict(place.conflict) if place.conflict else ""),
        ("Repository", f"{place.repository}, base {place.base_branch}" if place.repository else ""),
        ("Outputs go to", place.outputs_folder),
        ("Outcomes, one of which it is completed with", ", ".join(brief.outcomes)),
        *(
            (f"Criterion, {criterion.kind}", criterion.text)
            for criterion in brief.criteria
            if criterion.kind is not CriterionKind.EXIT and criterion.id not in proved_below
        ),
    ]
    return [_line(name, text) for name, text in said if text]


def _conflict(conflict: ConflictFacts) -> str:
    files = "; ".join(f"{one.path}: {one.said}" for one in conflict.files)
    return f"{', '.join(conflict.their_steps)} ({conflict.theirs}): {files}. {conflict.way_on}"


def _returned(one: Returned) -> str:
    gate = f" at gate {one.gate}" if one.gate else ""
    return _line(f"{timestamp(one.at)} {one.by}, {one.what}{gate}", one.reason)


def _to_prove(one: ToProve) -> str:
    proved = f" Proved in attempt {one.attempt}, to be proved again: {one.evidence}" if one.attempt else ""
    return _line(f"Criterion {one.id}", f"{one.text}.{proved}")


def _crumb(one: BreadcrumbFacts) -> str:
    return _line(f"{timestamp(one.at)} {one.executor}, {one.attempt}", one.text)


def _attempt(one: EarlierAttempt) -> str:
    ended = f" {timestamp(one.ended_at)}" if one.ended_at else ""
    same = f"same result as attempt {one.same_as}" if one.same_as else ""
    told = [one.error, one.outcome, f"commit {one.commit}" if one.commit else "", same]
    who = f" by {one.claimed_as}" if one.claimed_as else ""
    return _line(f"Attempt {one.number}{who}, {one.status}{ended}", "; ".join(text for text in told if text))


def _upstream(found: Continuation) -> list[str]:
    lines = []
    for artifact in found.brief.upstream:
        outputs = ", ".join(f"`{output.path}`" for output in artifact.outputs)
        told = outputs or "no output files"
        lines.append(
            _line(f"{artifact.step}, `{artifact.path}` ({artifact.state})", artifact.problem or told)
        )
    return lines


def _documents(found: Continuation) -> list[str]:
    lines = []
    for document in found.brief.documents:
        told = [document.state or document.outcome, *(f"`{path}`" for path in document.outputs)]
        lines.append(
            _line(
                f"{document.stage} / {document.batch} / {document.thread}, {document.key} {document.title}",
                "; ".join(filter(None, told)),
            )
        )
    return lines


def _learnings(found: Continuation) -> list[str]:
    said: Sequence[tuple[str, str]] = [
        (f"After {_lesson_place(learning, found.brief.task.workstream_slug)}, {what}", text)
        for learning in found.brief.learnings
        for what, text in (
            ("went wrong", learning.went_wrong),
            ("worked", learning.worked),
            ("to tighten", learning.tighten),
        )
    ]
    return [_line(name, text) for name, text in said if text]


def _left_out(found: Continuation) -> list[str]:
    brief = found.brief
    return [f"{one.what}: {one.shown} of {one.of}, see {brief.address}" for one in brief.left_out]


def _lesson_place(lesson: TaughtFacts, here: str) -> str:
    return lesson.after if lesson.workstream_slug == here else f"{lesson.after} of {lesson.workstream_slug}"


def _line(name: str, text: str) -> str:
    """One list item; further lines are indented so that they stay part of it."""
    return f"{name}: {text}".replace("\n", "\n  ")
