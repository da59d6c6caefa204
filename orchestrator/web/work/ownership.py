"""Passing a workstream, a task or a blocker on to another owner, from its page (FR-011)."""

from typing import Any

from django.http import HttpRequest

from orchestrator.core.errors import NotFound
from orchestrator.models import Task, Workstream
from orchestrator.queries.work.ownership import people, transfers_of
from orchestrator.services.people import ownership
from orchestrator.web.acting import Viewer, does, now, number, typed


def ownership_context(
    who: Viewer, workstream: Workstream, task: Task | None = None, *, passed_on: bool = True
) -> dict[str, Any]:
    """What the ownership section of a page shows; `passed_on`: it was, at least once."""
    moved = ownership.transfer_task if task else ownership.transfer_workstream
    return {
        "people": people(),
        "transfers": list(transfers_of(workstream, task)) if passed_on else [],
        "why_not_own": who.lacks(moved),
    }


@does(ownership.transfer_task)
def pass_task_on(request: HttpRequest, found: Task, who: Viewer) -> str:
    to, reason = typed(request, "to"), typed(request, "reason")
    ownership.transfer_task(task_id=found.pk, to=to, reason=reason, actor=who.actor, now=now())
    return f"{to} owns {found.step.key} now."


@does(ownership.transfer_workstream)
def pass_workstream_on(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    to, reason = typed(request, "to"), typed(request, "reason")
    ownership.transfer_workstream(workstream_id=found.pk, to=to, reason=reason, actor=who.actor, now=now())
    return f"{to} owns {found.title} now."


@does(ownership.transfer_blocker)
def pass_blocker_on(request: HttpRequest, found: Task, who: Viewer) -> str:
    blocker, to, reason = number(request, "blocker"), typed(request, "to"), typed(request, "reason")
    if not found.blockers.filter(pk=blocker).exists():
        raise NotFound("There is no such blocker on this task.")
    ownership.transfer_blocker(blocker_id=blocker, to=to, reason=reason, actor=who.actor, now=now())
    return f"{to} sees to the blocker of {found.step.key} now."
