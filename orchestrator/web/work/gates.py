"""Gates: what waits for a signature, what came in, approve or reject, and withdraw it in time.

Requirements: FR-006, BX-3, WF-5, DC-5.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.engine import explain
from orchestrator.core.engine.signatures import GATE_MEANINGS
from orchestrator.core.errors import AlreadyDecided, NotFound, Refusal
from orchestrator.core.terms import GateDecision, GateKind, TaskStatus
from orchestrator.models import GateReview, Task
from orchestrator.queries.base.asked import Asked
from orchestrator.queries.engine.explanations import explained
from orchestrator.queries.engine.signatures import sign_off_of
from orchestrator.queries.gates import gates as queries
from orchestrator.queries.gates.gate_changes import changes_of, lines_of_changes
from orchestrator.queries.gates.gate_material import discussed, material_of, rejections, tool_runs, weight_of
from orchestrator.services.plans.amendments import propose_stage
from orchestrator.services.plans.comments import open_discussion, send_comments
from orchestrator.services.review import gates
from orchestrator.services.review.signatures import withdraw_signature
from orchestrator.services.work import signing
from orchestrator.web.acting import Viewer, act_of, does, now, number_in, off, perform, typed, viewer
from orchestrator.web.polling import gates_are_open, mark_at, unchanged
from orchestrator.web.show import part_asked, show

PARTS = frozenset({"decision", "talk"})


@dataclass(frozen=True, slots=True)
class HeldSignature:
    """A decision that can still be withdrawn; `at` is when it takes effect, None for a signature before the
    last one."""

    review: GateReview
    own: bool
    left: int

    @property
    def at(self) -> datetime | None:
        return self.review.effective_at

    @property
    def rejects(self) -> bool:
        return self.review.decision == GateDecision.REJECTED

    @property
    def again_in(self) -> int:
        """Seconds after which the page asks how it stands; 0 when it does not."""
        return max(self.left + 1, 2) if self.at else 0


@require_GET
def gate_list(request: HttpRequest) -> HttpResponse:
    """Gates that wait for a signature first, then the decided ones."""
    mark = mark_at(now())
    if same := unchanged(request, "results", mark):
        return same
    asked = Asked(request.GET)
    sort = asked.order(queries.SORTS)
    context = {
        "waiting": queries.waiting_gates(sort),
        "sort": sort,
        "unknown": asked.unknown,
        "decided": queries.decided_gates(),
        "now": now(),
        "mark": mark,
        "live": gates_are_open(),
    }
    return show(request, "gates/list.html", context, parts=frozenset({"results"}))


@require_GET
def gate(request: HttpRequest, task_id: int) -> HttpResponse:
    """The page, or its decision when it asks how a decision stands; once that is in effect all of the page
    is another one."""
    task = queries.find_gate(task_id)
    response = gate_page(request, task)
    if part_asked(request, PARTS) == "decision" and task.status in (TaskStatus.COMPLETE, TaskStatus.PENDING):
        response["HX-Refresh"] = "true"
    return response


@require_GET
def gate_changes(request: HttpRequest, task_id: int, attempt_id: int) -> HttpResponse:
    """The changed lines of one result, when they are opened."""
    task = queries.find_gate(task_id)
    sheet = queries.gate_sheet(task)
    changes = changes_of(task.workstream, sheet.incoming).get(attempt_id)
    if changes is None:
        raise NotFound("This gate has no such changes.", recovery="Open the gate: it lists what came in.")
    context = {
        "gate": task,
        "step": task.step,
        "workstream": task.workstream,
        "changes": changes,
        "files": lines_of_changes(task.workstream, changes),
    }
    asked = part_asked(request, frozenset({f"changes-{attempt_id}"}))
    return show(request, "gates/diff.html" if asked else "gates/changes.html", context)


@act_of("gate", "task_id")
def gate_decide(request: HttpRequest, task_id: int) -> HttpResponse:
    """Sign or reject; a rejection says why and where work returns to (AS-6)."""
    task = queries.find_gate(task_id)
    do = partial(_withdraw if request.POST.get("decision") == "withdraw" else _decide, request, task)
    return perform(request, do, then=reverse("gate", args=[task_id]), again=partial(gate_page, request, task))


@act_of("gate", "task_id")
def gate_say(request: HttpRequest, task_id: int) -> HttpResponse:
    """Say something about the gate, in the plan's discussion of its step."""
    task = queries.find_gate(task_id)
    then = f"{reverse('gate', args=[task_id])}#talk"
    again = partial(gate_page, request, task, acted="talk")
    return perform(request, partial(_say, request, task), then=then, again=again)


@does(open_discussion, send_comments)
def _say(request: HttpRequest, task: Task) -> str:
    version, actor, moment = task.workstream.version_id, viewer(request).actor, now()
    body = typed(request, "body")
    open_discussion(version_id=version, step=task.step.key, body=body, actor=actor, now=moment)
    send_comments(version_id=version, actor=actor, now=moment)
    return "It is said, here and beside the step in the plan."


@does(withdraw_signature)
def _withdraw(request: HttpRequest, task: Task) -> str:
    review = withdraw_signature(
        task_id=task.pk, reason=typed(request, "reason"), actor=viewer(request).actor, now=now()
    )
    more = " The version with its follow-ups is withdrawn too." if review.follow_up_version else ""
    if review.decision == GateDecision.REJECTED:
        return f"Your rejection is withdrawn and stays on record; {task.step.key} can be decided anew."
    return f"Your signature is withdrawn and stays on record; {task.step.key} can be signed anew.{more}"


@does(gates.reject_gate, gates.approve_gate)
def _decide(request: HttpRequest, task: Task) -> str:
    who, reason = viewer(request).actor, typed(request, "reason")
    seen = number_in(request.POST.get("attempt", "")) or None
    heard = number_in(request.POST["heard"]) if "heard" in request.POST else None
    if request.POST.get("decision") == "approve":
        review = gates.approve_gate(
            task_id=task.pk,
            actor=who,
            now=now(),
            reason=reason,
            follow_ups=typed(request, "follow_ups"),
            withdraw_seconds=settings.WITHDRAW_SECONDS,
            seen=seen,
            heard=heard,
        )
        return _signed(task, review)
    return_key = typed(request, "return_key")
    held = gates.reject_gate(
        task_id=task.pk,
        return_key=return_key,
        reason=reason,
        actor=who,
        now=now(),
        withdraw_seconds=settings.WITHDRAW_SECONDS,
        seen=seen,
        heard=heard,
    )
    if held.effective_at:
        return (
            f"{task.step.key} is rejected. Nothing is thrown away for {settings.WITHDRAW_SECONDS} seconds, "
            f"in which you can withdraw the rejection."
        )
    return f"{task.step.key} is rejected: work returns to {return_key} and everything after it is done again."


def _signed(task: Task, review: GateReview) -> str:
    key, version = task.step.key, review.follow_up_version
    task.refresh_from_db(fields=["status"])
    if task.status == TaskStatus.COMPLETE:
        said = f"{key} is approved: what stands behind it may start."
    elif review.effective_at:
        said = (
            f"{key} is signed. Nothing behind it starts for {settings.WITHDRAW_SECONDS} seconds, in which "
            f"you can withdraw your signature."
        )
    else:
        said = f"Your signature on {key} is recorded; it {explain.waits_for_signatures(sign_off_of(task))}."
    return (
        f"{said} The follow-ups are version {version.number} of the plan, which waits for review."
        if version
        else said
    )


def gate_page(
    request: HttpRequest, task: Task, refusal: Refusal | None = None, acted: str = "decision"
) -> HttpResponse:
    """The gate; where somebody decided first all of it is shown anew, because all of it is another."""
    known, who = explained(task.workstream, now()), viewer(request)
    sheet = queries.gate_sheet(task, known)
    context = {
        "gate": task,
        "step": task.step,
        "workstream": task.workstream,
        "sheet": sheet,
        "material": (material := material_of(task, sheet.incoming)),
        "weight": weight_of(material),
        "tests": tool_runs(sheet.incoming),
        "again": rejections(known, sheet),
        "discussed": discussed(task, sheet.incoming),
        "meaning": GATE_MEANINGS[GateKind(task.step.gate_kind)],
        "held": (held := held_signature(who, sheet, now())),
        "why_not": _why_not(who, task, sheet, held),
        "diverged": known.loaded.ground.stopped,
        "acted": "" if (moved := isinstance(refusal, AlreadyDecided)) else acted,
    }
    return show(request, "gates/page.html", context, parts=PARTS, refusal=refusal, anew=moved)


def held_signature(who: Viewer, sheet: queries.GateSheet, moment: datetime) -> HeldSignature | None:
    """The decision about the attempt that waits which takes effect by itself, a rejection before a signature,
    else the reader's own."""
    counting = [review for review in sheet.signatures if review.withdrawn_at is None]
    counting.sort(key=lambda review: review.decision != GateDecision.REJECTED)
    own = next((review for review in counting if review.reviewer_id == who.user.pk), None)
    last = next((review for review in counting if review.effective_at), None)
    if own is None and last is None:
        return None
    at = last.effective_at if last else None
    left = max(0, math.ceil((at - moment).total_seconds())) if at else 0
    return HeldSignature(last or own, own is not None, left)  # type: ignore[arg-type]


def _why_not(who: Viewer, task: Task, sheet: queries.GateSheet, held: HeldSignature | None) -> dict[str, str]:
    """Why each control is off for this person; empty text when it is on."""
    me, rejected = who.user.get_username(), held is not None and held.rejects
    closed = signing.why_waits_for_nobody(
        task, waits=sheet.waits, rejected=rejected, stands=sheet.row.sentence
    ) or signing.why_not_decide(task, who.actor, sheet.asked)
    return {
        "decide": off(closed, me),
        "approve": off(closed or signing.why_not_approve(task, who.actor, sheet.asked), me),
        "reject": off(closed or signing.why_not_reject(task, somewhere=bool(sheet.return_steps)), me),
        "follow_ups": who.lacks(propose_stage),
        "say": who.lacks(open_discussion),
    }


urlpatterns: list[Any] = [
    path("gates/", gate_list, name="gates"),
    path("gates/<int:task_id>/", gate, name="gate"),
    path("gates/<int:task_id>/changes/<int:attempt_id>/", gate_changes, name="gate-changes"),
    path("gates/<int:task_id>/decide", gate_decide, name="gate-decide"),
    path("gates/<int:task_id>/say", gate_say, name="gate-say"),
]
