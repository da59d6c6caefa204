"""Assigning threads to executors, from the page of a workstream (WF-4)."""

from typing import Any

from django.http import HttpRequest

from orchestrator.core.terms import AssignmentMode, WorkstreamStatus
from orchestrator.models import Executor, Workstream
from orchestrator.queries.engine.explanations import Explained
from orchestrator.queries.engine.threads import open_threads_as_read
from orchestrator.services.people.threads import assign_thread, unassign_thread
from orchestrator.web.acting import Viewer, does, now, number, typed


def threads_context(who: Viewer, workstream: Workstream, known: Explained) -> dict[str, Any]:
    """What the section shows; before approval there are no threads with work in them."""
    if workstream.status != WorkstreamStatus.ACTIVE:
        return {"threads": []}
    threads = open_threads_as_read(known.loaded.tasks.values(), known.loaded.ground.kept)
    return {
        "threads": threads,
        "some_assigned": any(row.assignment for row in threads),
        "executors": Executor.objects.filter(user__is_active=True).select_related("user"),
        "modes": list(AssignmentMode),
        "why_not_assign": who.lacks(assign_thread),
    }


@does(assign_thread)
def assign(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    executor = typed(request, "executor")
    assign_thread(
        workstream_id=found.pk,
        thread_id=number(request, "thread"),
        executor=executor,
        mode=typed(request, "mode"),
        reason=typed(request, "reason"),
        actor=who.actor,
        now=now(),
    )
    return f"The thread is kept for {executor} now."


@does(unassign_thread)
def unassign(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    thread, reason = number(request, "thread"), typed(request, "reason")
    unassign_thread(workstream_id=found.pk, thread_id=thread, reason=reason, actor=who.actor, now=now())
    return "Every executor may claim in the thread again."
