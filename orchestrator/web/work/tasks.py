"""Tasks: definition, attempts with evidence, and the acts of people who do or unblock them.

Requirements: WF-8, FR-012, FR-027.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.adapters.live_log import has_log
from orchestrator.core.actions import Action
from orchestrator.core.engine import explain
from orchestrator.core.errors import InvalidInput, NotFound, Refusal
from orchestrator.core.terms import OPEN_TASK, AttemptStatus, BlockerKind, ExecutorKind, WorkstreamStatus
from orchestrator.models import Executor, Task, Workstream
from orchestrator.queries.base.history import with_last_entry
from orchestrator.queries.engine.explanations import explained
from orchestrator.queries.engine.present import TaskParts, present_of
from orchestrator.queries.work.additions import steps_left
from orchestrator.queries.work.attempt_facts import budget_spent
from orchestrator.queries.work.blockers import NOTHING_BLOCKED, blocked_task
from orchestrator.queries.work.briefs import upstream_of
from orchestrator.queries.work.places import has_place, place_of
from orchestrator.queries.work.proof import verified_by
from orchestrator.queries.work.rework import returned, to_prove, to_verify_again
from orchestrator.queries.work.tasks import TaskDetail, find_task, find_workstream, task_detail
from orchestrator.services.freeing import why_task
from orchestrator.services.people import blockers, executors, interventions
from orchestrator.services.review import additions
from orchestrator.services.work import claims, completions, failures, releases, rework
from orchestrator.services.work.attempts import why_not_do
from orchestrator.web.acting import (
    Viewer,
    act_of,
    chosen,
    does,
    now,
    number,
    number_in,
    perform,
    typed,
    viewer,
)
from orchestrator.web.polling import mark_of, unchanged
from orchestrator.web.show import show
from orchestrator.web.work.interventions import answer_typed, answered
from orchestrator.web.work.ownership import ownership_context, pass_blocker_on, pass_task_on
from orchestrator.web.work.task_controls import why_not

#: All output files of one completion together, in bytes.
UPLOAD_LIMIT = 5 * 1024 * 1024


@require_GET
def task(request: HttpRequest, uuid: UUID, key: str) -> HttpResponse:
    return task_page(request, _watched(uuid), key)


def _log_of(detail: TaskDetail) -> dict[str, bool]:
    """Whether the last attempt printed something on this machine, and whether it still runs."""
    started = [one for one in detail.attempts if one.started_at]
    last = max(started, key=lambda one: one.number, default=None)
    has = last is not None and has_log(settings.RUN_LOGS_DIR, last.pk)
    runs = last is not None and last.status == AttemptStatus.RUNNING
    return {"runs_here": has and runs, "ran_here": has and not runs}


def _watched(uuid: UUID) -> Workstream:
    return find_workstream(uuid, with_last_entry(Workstream.objects.all()))


@require_GET
def task_by_id(_request: HttpRequest, task_id: int) -> HttpResponse:
    """The short address of seed 003; `api.negotiated` owns it."""
    found = Task.objects.select_related("step", "workstream").filter(pk=task_id).first()
    if found is None:
        raise NotFound("There is no such task.")
    return redirect("task", found.workstream.uuid, found.step.key)


def task_page(
    request: HttpRequest, workstream: Workstream, key: str, acted: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    mark = mark_of(workstream, now())
    if same := unchanged(request, "state", mark):
        return same
    known = explained(workstream, now())
    found = known.loaded.tasks.get(key) or find_task(workstream, key)
    has = present_of(found)
    detail = task_detail(found, known, has)
    who = viewer(request)
    stands = f"{detail.row.state}-{len(detail.row.attempts)}"
    seen = request.GET.get("seen") or stands
    is_open = detail.row.task.status in OPEN_TASK
    context = {
        "workstream": workstream,
        "detail": detail,
        "is_open": is_open,
        "task": detail.row.task,
        "step": detail.row.task.step,
        "verified_by": verified_by(detail.row.task, workstream),
        "steps_left": steps_left(detail.row.task.step),
        "to_prove": [(c, request.POST.get(f"evidence-{c.pk}", "")) for c in detail.to_prove],
        "kinds": list(BlockerKind),
        "blocked": blocked_task(workstream, key, now()) if has.blockers else NOTHING_BLOCKED,
        "role": detail.row.task.step.role or detail.row.task.step.thread.owner_role,
        **ownership_context(who, workstream, detail.row.task, passed_on=has.transfers),
        "why_not": why_not(who, detail, person_executor(who)),
        "acted": acted,
        **_so_far(detail, has),
        "diverged": known.loaded.ground.stopped,
        "why": why_task(workstream, key, now(), known) if is_open else None,
        "here": request.path,
        "now": now(),
        "spent": budget_spent(detail.row.task) if _runs(detail) else None,
        **_log_of(detail),
        "watched": workstream.status == WorkstreamStatus.ACTIVE and is_open,
        "seen": seen,
        "mark": mark,
        "stale": seen != stands,
    }
    return show(request, "tasks/page.html", context, parts=frozenset({"state"}), refusal=refusal)


def _runs(detail: TaskDetail) -> bool:
    return any(one.status == AttemptStatus.RUNNING for one in detail.attempts)


def _so_far(detail: TaskDetail, has: TaskParts) -> dict[str, Any]:
    """What whoever goes on with an open task starts from (AS-8): failures stand with their attempts. A task
    of which no attempt has ended starts anew."""
    task = detail.row.task
    if task.status not in OPEN_TASK:
        return {}
    decided = returned(task, detail.attempts) if has.ended else ()
    again = to_verify_again(to_prove([task])) if has.ended or task.rework else []
    needed = [row.task.step_id for row in detail.needs]
    return {
        "returned": [decision for decision in decided if decision.what != Action.ATTEMPT_FAILED],
        "prove_again": again,
        "upstream": upstream_of(task, needed),
        "place": place_of(task, ()) if has_place(task) else None,
    }


@act_of("task", "uuid", "key")
def task_act(request: HttpRequest, uuid: UUID, key: str, act: str) -> HttpResponse:
    do = chosen(ACTS, act)
    workstream = _watched(uuid)
    found = find_task(workstream, key)
    again = partial(task_page, request, workstream, key, act)
    then = reverse("task", args=[uuid, key])
    return perform(
        request, lambda: do(request, found, viewer(request)), then=then, again=again, several=act in SEVERAL
    )


def person_executor(who: Viewer) -> Executor | None:
    """The executor through which this person claims; made at their first claim."""
    return Executor.objects.filter(user=who.user, kind=ExecutorKind.PERSON).order_by("pk").first()


def _registered(who: Viewer) -> Executor:
    return executors.register_own(user=who.user, now=now())


def _mine(who: Viewer) -> Executor:
    executor = person_executor(who)
    if executor is None:
        raise InvalidInput("You have not claimed an attempt.", recovery="Claim the attempt first.")
    return executor


@does(claims.claim, executors.register_own)
def _claim(request: HttpRequest, found: Task, who: Viewer) -> str:
    attempt = number(request, "attempt")
    if refusal := why_not_do(found, who.actor):
        raise refusal
    if not found.attempts.filter(pk=attempt).exists():
        raise NotFound(f"{found.step.key} has no such attempt.", recovery="Reload the page.")
    executor = person_executor(who) or _registered(who)
    claims.claim(attempt_id=attempt, executor=executor, actor=who.actor, now=now())
    return (
        f"You hold {found.step.key} now. Leave a breadcrumb when you stop, complete it with "
        f"evidence when done."
    )


@does(claims.report)
def _report(request: HttpRequest, found: Task, who: Viewer) -> str:
    held, token = number(request, "attempt"), number(request, "token")
    text = typed(request, "breadcrumb")
    claims.report(
        attempt_id=held, token=token, executor=_mine(who), breadcrumb=text, actor=who.actor, now=now()
    )
    return f"The breadcrumb of {found.step.key} is stored."


@does(releases.release)
def _release(request: HttpRequest, found: Task, who: Viewer) -> str:
    held, token = number(request, "attempt"), number(request, "token")
    releases.release(
        attempt_id=held,
        token=token,
        executor=_mine(who),
        breadcrumb=typed(request, "breadcrumb"),
        actor=who.actor,
        now=now(),
    )
    return f"You have given {found.step.key} back; it can be claimed again."


@does(completions.complete)
def _complete(request: HttpRequest, found: Task, who: Viewer) -> str:
    held, token = number(request, "attempt"), number(request, "token")
    fields = [name for name in request.POST if name.startswith("evidence-") and name[9:].isdecimal()]
    done = completions.complete(
        attempt_id=held,
        token=token,
        executor=_mine(who),
        actor=who.actor,
        outcome=typed(request, "outcome"),
        evidence={int(name[9:]): typed(request, name) for name in fields},
        outputs=_uploads(request),
        commit=typed(request, "commit"),
        result=typed(request, "result"),
        now=now(),
    )
    if (asked := done.verification) and asked.is_pending:
        return f"{found.step.key} is being verified: {asked.command}. It counts when that is green."
    return f"{found.step.key} is complete: its artifact goes to the workspace and its successors start then."


@does(additions.add_steps)
def _add_steps(request: HttpRequest, found: Task, who: Viewer) -> str:
    held, token = number(request, "attempt"), number(request, "token")
    tasks, reason = typed(request, "tasks"), typed(request, "reason")
    added = additions.add_steps(
        attempt_id=held,
        token=token,
        executor=_mine(who),
        tasks=tasks,
        reason=reason,
        actor=who.actor,
        now=now(),
    )
    return (
        f"Added {', '.join(added.keys)} behind {found.step.key} with version "
        f"{added.version.number} of the plan."
    )


def _uploads(request: HttpRequest) -> dict[str, bytes]:
    files = request.FILES.getlist("outputs")
    if sum(file.size or 0 for file in files) > UPLOAD_LIMIT:
        raise InvalidInput(
            f"The files are larger than {UPLOAD_LIMIT // 1024 // 1024} MB together.", field="outputs"
        )
    return {file.name or "output": file.read() for file in files}


@does(failures.fail)
def _fail(request: HttpRequest, found: Task, who: Viewer) -> str:
    held, token = number(request, "attempt"), number(request, "token")
    error = typed(request, "error")
    failures.fail(attempt_id=held, token=token, executor=_mine(who), error=error, actor=who.actor, now=now())
    return f"The attempt failed. {explain.requeued_by_someone(found.step.key)}"


@does(failures.declare_failure)
def _declare_failure(request: HttpRequest, found: Task, who: Viewer) -> str:
    reason = typed(request, "reason")
    failures.declare_failure(attempt_id=number(request, "attempt"), reason=reason, actor=who.actor, now=now())
    return f"The attempt is declared failed. {explain.requeued_by_someone(found.step.key)}"


@does(failures.requeue)
def _requeue(request: HttpRequest, found: Task, who: Viewer) -> str:
    failures.requeue(
        task_id=found.pk,
        reason=typed(request, "reason"),
        actor=who.actor,
        now=now(),
        seen=number_in(request.POST.get("attempt", "")) or None,
    )
    return f"{found.step.key} is re-queued: a new attempt starts when the rules allow."


@does(rework.send_back)
def _send_back(request: HttpRequest, found: Task, who: Viewer) -> str:
    again = rework.send_back(task_id=found.pk, reason=typed(request, "reason"), actor=who.actor, now=now())
    return f"Work is sent back: {', '.join(again)} will be done again."


@does(interventions.flag_for_human)
def _flag(request: HttpRequest, found: Task, who: Viewer) -> str:
    choices = typed(request, "choices").splitlines()
    note = typed(request, "note")
    interventions.flag_for_human(task_id=found.pk, note=note, choices=choices, actor=who.actor, now=now())
    return explain.flagged(found.step.key)


@does(interventions.clear_human_flag)
def _answer(request: HttpRequest, found: Task, who: Viewer) -> str:
    answer = answer_typed(request)
    done = interventions.clear_human_flag(
        task_id=found.pk,
        answer=answer,
        actor=who.actor,
        now=now(),
        seen=number_in(request.POST.get("question", "")) or None,
    )
    return answered(done.kind)


@does(blockers.declare_blocker)
def _declare_blocker(request: HttpRequest, found: Task, who: Viewer) -> str:
    kind, note = typed(request, "kind"), typed(request, "note")
    owner = typed(request, "owner")
    blockers.declare_blocker(task_id=found.pk, kind=kind, note=note, owner=owner, actor=who.actor, now=now())
    return f"The blocker is declared; {explain.blocked_by_it(found.step.key)}"


@does(blockers.resolve_blocker)
def _resolve_blocker(request: HttpRequest, found: Task, who: Viewer) -> str:
    blocker = number(request, "blocker")
    if not found.blockers.filter(pk=blocker).exists():
        raise NotFound("There is no such blocker on this task.")
    blockers.resolve_blocker(
        blocker_id=blocker, resolution=typed(request, "resolution"), actor=who.actor, now=now()
    )
    return "The blocker is resolved; work goes on where it stood."


ACTS: dict[str, Callable[[HttpRequest, Task, Viewer], str]] = {
    "claim": _claim,
    "report": _report,
    "release": _release,
    "complete": _complete,
    "add-steps": _add_steps,
    "fail": _fail,
    "declare-failure": _declare_failure,
    "requeue": _requeue,
    "send-back": _send_back,
    "flag": _flag,
    "answer": _answer,
    "declare-blocker": _declare_blocker,
    "resolve-blocker": _resolve_blocker,
    "pass-blocker": pass_blocker_on,
    "own": pass_task_on,
}
#: Acts of several transactions.
SEVERAL: Final = frozenset({"claim"})

urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/tasks/<str:key>/", task, name="task"),
    path("workstreams/<uuid:uuid>/tasks/<str:key>/<slug:act>", task_act, name="task-act"),
]
