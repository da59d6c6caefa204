"""Workstreams: where one stands, what is in the way, and its acceptance (FR-002, FR-015, LC-3)."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import InvalidInput, NotFound, Refusal
from orchestrator.core.terms import Lifecycle, RootKind, TaskStatus
from orchestrator.models import HandoffArtifact, WorkflowVersion, WorkPlace, Workstream
from orchestrator.queries.base.used import used_in
from orchestrator.queries.changes.migrations import last_migration, under_way, versions_in_effect
from orchestrator.queries.engine.explanations import Explained, explained
from orchestrator.queries.engine.present import WorkstreamParts, present_in
from orchestrator.queries.handoff.workspace_files import file_of, files_of
from orchestrator.queries.plans.effect import promised_version
from orchestrator.queries.work.baseline import integrations
from orchestrator.queries.work.blockers import NOTHING_BLOCKED, blocked_workstream
from orchestrator.queries.work.places import running_places
from orchestrator.queries.work.relations import relations_of
from orchestrator.queries.work.rework import rework_count
from orchestrator.queries.work.tasks import TaskRow, find_task, find_workstream
from orchestrator.queries.workstreams import workstreams as queries
from orchestrator.queries.workstreams.learnings import due
from orchestrator.services.freeing import why_workstream
from orchestrator.services.work import failures, recoveries
from orchestrator.services.workstreams import workstreams
from orchestrator.services.workstreams.budgets import set_budget, why_not_set_budget
from orchestrator.services.workstreams.learnings import record_learning
from orchestrator.services.workstreams.priorities import set_priority, why_not_set_priority
from orchestrator.web.acting import (
    Viewer,
    act_of,
    chosen,
    does,
    now,
    number,
    number_in,
    off,
    perform,
    typed,
    viewer,
)
from orchestrator.web.plans.plan_decisions import Withdrawal, withdrawal_for
from orchestrator.web.polling import mark_of, unchanged
from orchestrator.web.revalidated import revalidated
from orchestrator.web.show import part_asked, show
from orchestrator.web.work import baseline
from orchestrator.web.work.ownership import ownership_context, pass_workstream_on
from orchestrator.web.work.threads import assign, threads_context, unassign
from orchestrator.web.workstreams.maps import map_of, map_page_of

#: States in which work goes on without anybody deciding first.
IN_WORK = frozenset({"ready", TaskStatus.ACTIVE})
#: Where something is left that may wait.
GOING_ON = frozenset({Lifecycle.PLANNING, Lifecycle.ACTIVE})
#: What htmx may ask for instead of the page.
PARTS = frozenset({"board", "approval"})
#: Acts whose form shows the refusal itself; the others show it at the top.
TOLD_ELSEWHERE = frozenset(
    {"accept", "archive", "reopen", "priority", "budget", "own", "assign", "unassign", *baseline.ACTS}
)
#: Acts that ask git between their transactions.
MANY_TRANSACTIONS = frozenset({"recover", "republish", *baseline.ACTS})


def workstream_page(
    request: HttpRequest, uuid: UUID, acted: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    """The page, or the board alone when htmx refreshes it.

    `api.negotiated` owns the address: machines get JSON.
    """
    found = find_workstream(uuid, queries.for_page())
    part = part_asked(request, PARTS)
    if part == "approval":
        return _approval_part(request, found)
    mark = mark_of(found, now())
    if same := unchanged(request, "board", mark):
        return same
    known, has = explained(found, now()), present_in(found)
    board = queries.board(found, now(), known, has)
    who = viewer(request)
    why = why_workstream(found, now(), known) if board.lifecycle in GOING_ON else None
    said = why.root.key if why and (why.root.freed_by or why.root.kind is RootKind.GATE) else ""
    context = {
        "workstream": found,
        "board": board,
        "questions": [one for one in board.interventions if one.task.step.key != said],
        "open_gates": [row for row in board.open_gates if row.task.step.key != said],
        "in_work": _in_work(found, board),
        "map": map_of(known, board.rows, _next_key(board), map_page_of(found)),
        "rework": rework_count(found),
        "blocked": blocked_workstream(found, now()) if has.blockers else NOTHING_BLOCKED,
        "why_not": _why_not(who, found) | baseline.why_not(who, found),
        "acted": acted,
        "told_elsewhere": acted in TOLD_ELSEWHERE,
        "why": why,
        "here": request.path,
        "mark": mark,
        "polled": part == "board",
        "policy": queries.definition_of_done(),
        "integrations": integrations(found) if has.integrations else (),
    }
    if part is None:
        promised = promised_version(found) if has.promised else None
        context |= _aside(who, found, promised, known, has)
        context["used"] = used_in(found) if has.used else ()
        context["diverged"] = known.loaded.ground.stopped
        context["approval"] = _approval(who, found, promised)
    page = show(request, "workstreams/page.html", context, parts=PARTS, refusal=refusal)
    return revalidated(request, page)


def _in_work(found: Workstream, board: queries.WorkstreamBoard) -> list[tuple[TaskRow, WorkPlace | None]]:
    """What is worked on now, each with its place."""
    rows = [row for row in board.current if row.live and row.state in IN_WORK]
    places = running_places([row.task.pk for row in rows]) if rows and found.version.repository else {}
    return [(row, places.get(row.task.pk)) for row in rows]


def _approval(who: Viewer, found: Workstream, promised: WorkflowVersion | None) -> Withdrawal | None:
    """The approval that takes effect by itself, with the time that is left to withdraw it (WF-3)."""
    return withdrawal_for(who, promised, found, now()) if promised else None


def _approval_part(request: HttpRequest, found: Workstream) -> HttpResponse:
    """How long the approval can still be withdrawn; once it is in effect all of the page is another one."""
    promised = promised_version(found)
    context = {
        "workstream": found,
        "promised": promised,
        "approval": _approval(viewer(request), found, promised),
    }
    response = show(request, "workstreams/page.html", context, parts=PARTS)
    if promised is None:
        response["HX-Refresh"] = "true"
    return response


def _next_key(board: queries.WorkstreamBoard) -> str:
    return board.following.task.step.key if board.following else ""


def _aside(
    who: Viewer, found: Workstream, promised: WorkflowVersion | None, known: Explained, has: WorkstreamParts
) -> dict[str, Any]:
    """What stands beside the board; a refresh of the board alone does not read it."""
    return {
        **_versions(found, promised, has),
        "learnings": queries.learnings_of(found) if has.learnings else [],
        "lessons_due": due(found),
        **ownership_context(who, found, passed_on=has.transfers),
        **threads_context(who, found, known),
        "relations": relations_of(found, has, needed=known.loaded.ground.needed),
    }


def _versions(found: Workstream, promised: WorkflowVersion | None, has: WorkstreamParts) -> dict[str, Any]:
    """What the page says about versions: one that is promised, ones to migrate to, the way back (FR-016)."""
    at = now()
    active = under_way(found)
    in_effect = versions_in_effect(found.version.workflow_id, at) if active and has.newer else []
    return {
        "promised": promised,
        "promised_due": bool(promised and promised.effective_at and promised.effective_at <= at),
        "newer_versions": [version for version in in_effect if version.number > found.version.number],
        "last_migration": last_migration(found) if active and has.migrations else None,
    }


@act_of("workstream", "uuid")
def workstream_act(request: HttpRequest, uuid: UUID, act: str) -> HttpResponse:
    do = chosen(ACTS, act)
    found = find_workstream(uuid)
    again = partial(workstream_page, request, uuid, act)
    then = reverse("workstream", args=[uuid])
    return perform(
        request,
        lambda: do(request, found, viewer(request)),
        then=then,
        again=again,
        several=act in MANY_TRANSACTIONS,
    )


@does(workstreams.accept_workstream)
def _accept(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    workstreams.accept_workstream(
        workstream_id=found.pk, actor=who.actor, now=now(), note=typed(request, "note")
    )
    return f"{found.title} is accepted."


@does(workstreams.archive_workstream)
def _archive(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    reason = typed(request, "reason")
    workstreams.archive_workstream(workstream_id=found.pk, reason=reason, actor=who.actor, now=now())
    return f"{found.title} is archived. Its history and files stay."


@does(workstreams.reopen_workstream)
def _reopen(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    reason = typed(request, "reason")
    workstreams.reopen_workstream(workstream_id=found.pk, reason=reason, actor=who.actor, now=now())
    return f"{found.title} is active again. Add tasks for the gap; it is accepted anew once they are done."


@does(set_priority)
def _prioritise(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    text, reason = typed(request, "priority"), typed(request, "reason")
    if not re.fullmatch(r"-?[0-9]{1,6}", text):
        raise InvalidInput("A priority is a whole number, such as 0, 5 or -1.", field="priority")
    set_priority(workstream_id=found.pk, priority=int(text), reason=reason, actor=who.actor, now=now())
    return f"{found.title} now has the priority {int(text)}."


@does(set_budget)
def _budget(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    text, reason = typed(request, "budget"), typed(request, "reason")
    if not text:
        raise InvalidInput("Give a budget, or `no budget`.", field="budget")
    given = set_budget(workstream_id=found.pk, budget=text, reason=reason, actor=who.actor, now=now())
    return f"The budget of {found.title} is now: {given.budget}."


@does(failures.requeue)
def _requeue(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    task = find_task(found, typed(request, "key"))
    failures.requeue(
        task_id=task.pk,
        reason=typed(request, "reason"),
        actor=who.actor,
        now=now(),
        seen=number_in(request.POST.get("attempt", "")) or None,
    )
    return f"{task.step.key} is re-queued: a new attempt starts when the rules allow."


@does(record_learning)
def _learn(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    record_learning(
        workstream=found,
        after=typed(request, "after"),
        went_wrong=typed(request, "went_wrong"),
        worked=typed(request, "worked"),
        tighten=typed(request, "tighten"),
        actor=who.actor,
        now=now(),
    )
    return "The learning is recorded: it stands in LEARNINGS.md and in every brief from now on."


@does(
    recoveries.retry_artifact,
    recoveries.republish_artifact,
    recoveries.restore_artifact,
    recoveries.withdraw_artifact,
)
def _recover(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    """The four ways out of a missing or altered artifact (EC-3)."""
    artifact = _artifact_of(found, number(request, "artifact"))
    way = request.POST.get("way", "")
    if way == "declare":
        reason = typed(request, "reason")
        recoveries.withdraw_artifact(artifact_id=artifact.pk, reason=reason, actor=who.actor, now=now())
        return f"{artifact.attempt.task.step.key} and everything after it is done again."
    chosen(RECOVERIES, way)(artifact_id=artifact.pk, actor=who.actor, now=now())
    return f"{artifact.path} is usable again; what waits for it goes on."


@does(recoveries.republish_workstream)
def _republish(_request: HttpRequest, found: Workstream, who: Viewer) -> str:
    count = recoveries.republish_workstream(workstream_id=found.pk, actor=who.actor, now=now())
    return (
        f"Everything is written again from the record; {count} "
        f"artifact{'' if count == 1 else 's'} can be used again."
    )


def _artifact_of(found: Workstream, artifact_id: int) -> HandoffArtifact:
    rows = HandoffArtifact.objects.select_related("attempt__task__step")
    artifact = rows.filter(workstream=found, pk=artifact_id).first()
    if artifact is None:
        raise NotFound("There is no such artifact in this workstream.")
    return artifact


ACTS: dict[str, Callable[[HttpRequest, Workstream, Viewer], str]] = {
    "accept": _accept,
    "archive": _archive,
    "reopen": _reopen,
    "priority": _prioritise,
    "budget": _budget,
    "requeue": _requeue,
    "recover": _recover,
    "republish": _republish,
    "learn": _learn,
    **baseline.ACTS,
    "own": pass_workstream_on,
    "assign": assign,
    "unassign": unassign,
}
RECOVERIES: dict[str, Callable[..., object]] = {
    "retry": recoveries.retry_artifact,
    "republish": recoveries.republish_artifact,
    "restore": recoveries.restore_artifact,
}


def _why_not(who: Viewer, found: Workstream) -> dict[str, str]:
    """Why each control is off; empty text when it is on."""
    return {
        "accept": off(workstreams.why_not_accept(found, who.actor)),
        "archive": off(workstreams.why_not_archive(found, who.actor)),
        "reopen": off(workstreams.why_not_reopen(found, who.actor)),
        "priority": off(why_not_set_priority(found, who.actor)),
        "budget": off(why_not_set_budget(found, who.actor)),
        "requeue": who.lacks(failures.requeue),
        "recover": who.lacks(recoveries.retry_artifact),
        "learn": who.lacks(record_learning),
    }


@require_GET
def workstream_files(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = find_workstream(uuid)
    return show(request, "workstreams/files.html", {"workstream": found, "files": files_of(found)})


@require_GET
def workstream_file(_request: HttpRequest, uuid: UUID, file: str) -> HttpResponse:
    """One file of the workspace as plain text.

    Never interpreted by the browser, never outside the workstream.
    """
    content = file_of(find_workstream(uuid), file)
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline"
    return response


urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/acts/<slug:act>", workstream_act, name="workstream-act"),
    path("workstreams/<uuid:uuid>/files/", workstream_files, name="workstream-files"),
    path("workstreams/<uuid:uuid>/files/<path:file>", workstream_file, name="workstream-file"),
]
