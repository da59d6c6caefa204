"""Rework: how often work went back, why, and what has to be proved again because of it.

Requirements: FR-021, AS-6, AS-8.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orchestrator.contract.rework import Returned, Rework, ReworkCount, ToProve
from orchestrator.core.actions import Action
from orchestrator.core.engine.proof import kinds_to_prove
from orchestrator.core.terms import OPEN_TASK, AttemptStatus, CriterionKind, GateDecision, TaskStatus
from orchestrator.models import Attempt, Criterion, CriterionCheck, GateReview, HistoryEntry, Task, Workstream

SENT_BACK: Final = Action.WORK_SENT_BACK
#: Entries about a task's own attempts and artifacts after which its step is, or may be, done again.
DECIDED: Final = (Action.TASK_REQUEUED, Action.ATTEMPT_FAILED, Action.ARTIFACT_WITHDRAWN)


def rework_of(task: Task) -> Rework | None:
    """What an open task has to prove again, and who sent it back why.

    None when its result was never thrown away.
    """
    if task.status not in OPEN_TASK or not task.attempts.filter(status=AttemptStatus.COMPLETED).exists():
        return None
    entries = _sent_back(task)
    if not entries:
        return None
    last = entries[-1]
    criteria = to_prove([task])
    return Rework(last.subject, last.reason, last.actor, last.recorded_at, task.rework, criteria)


def returned(task: Task, attempts: Sequence[Attempt] | None = None) -> tuple[Returned, ...]:
    """Every decision that led to another attempt at a task, oldest first. Its `attempts` are read where they
    are not given."""
    subjects = [
        *attempt_subjects(task, attempts),
        *task.workstream.artifacts.filter(attempt__task=task).values_list("path", flat=True),
    ]
    mine = Q(action__in=DECIDED, subject__in=subjects)
    rows = HistoryEntry.objects.filter(mine | Q(action=SENT_BACK), workstream=task.workstream_id)
    entries = [one for one in rows.order_by("sequence") if one.action != SENT_BACK or _resets(one, task)]
    gates = _rejected_gates(task) if any(one.action == SENT_BACK for one in entries) else {}
    return tuple(_returned(entry, gates) for entry in entries)


def to_prove(tasks: Sequence[Task], *, proved: bool = True) -> tuple[ToProve, ...]:
    """The criteria that the open ones of those tasks have to prove (`core/engine/proof.py`), in their order;
    a fixed number of queries. None of them was `proved` before: spares the look.
    """
    still_open = [task for task in tasks if TaskStatus(task.status) in OPEN_TASK]
    if not still_open:
        return ()
    proofs = _proofs(still_open) if proved else {}
    criteria: dict[int, list[tuple[int, str, str]]] = {}
    rows = Criterion.objects.filter(step__in=[task.step_id for task in still_open])
    ordered = rows.order_by("kind", "position").values_list("step", "pk", "kind", "text")
    for step, number, kind, text in ordered:
        criteria.setdefault(step, []).append((number, kind, text))
    found = []
    for task in still_open:
        kinds = kinds_to_prove(task.rework)
        for number, kind, text in criteria.get(task.step_id, []):
            if kind in kinds:
                attempt, evidence = proofs.get((task.pk, text), (None, ""))
                found.append(ToProve(number, task.step.key, CriterionKind(kind), text, attempt, evidence))
    return tuple(found)


def to_verify_again(criteria: Sequence[ToProve]) -> list[ToProve]:
    """Those criteria that rework asks for once more: proved before, or to be met again before the start."""
    return [
        criterion
        for criterion in criteria
        if criterion.attempt is not None or criterion.kind is CriterionKind.ENTRY
    ]


def attempt_subjects(task: Task, attempts: Sequence[Attempt] | None = None) -> list[str]:
    """How history names the attempts of a task, which are read where they are not given."""
    asked = task.attempts.values_list("number", flat=True) if attempts is None else ()
    numbers = [*asked, *(attempt.number for attempt in attempts or ())]
    return [f"{task.step.key} attempt {number}" for number in numbers]


def _sent_back(task: Task) -> list[HistoryEntry]:
    """The entries that reset this task, oldest first."""
    entries = HistoryEntry.objects.filter(workstream=task.workstream_id, action=SENT_BACK).order_by(
        "sequence"
    )
    return [entry for entry in entries if _resets(entry, task)]


def _resets(entry: HistoryEntry, task: Task) -> bool:
    """Whether an entry of work that was sent back reset this task."""
    return task.step.key in json.loads(entry.leaf)["data"].get("became", {})


def _rejected_gates(task: Task) -> dict[datetime, str]:
    """The moment at which each rejection in the workstream took effect, which is that of its entry, to the
    gate's key."""
    rejected = GateReview.objects.filter(
        attempt__task__workstream=task.workstream_id,
        attempt__status=AttemptStatus.REJECTED,
        decision=GateDecision.REJECTED,
        withdrawn_at=None,
    ).values_list("attempt__ended_at", "attempt__task__step__key")
    return {at: key for at, key in rejected if at is not None}


def _returned(entry: HistoryEntry, gates: dict[datetime, str]) -> Returned:
    back = entry.action == SENT_BACK
    to, gate = (entry.subject, gates.get(entry.recorded_at, "")) if back else ("", "")
    return Returned(entry.recorded_at, entry.actor, entry.action, entry.reason, to, gate)


def _proofs(tasks: Sequence[Task]) -> dict[tuple[int, str], tuple[int | None, str]]:
    """(task, criterion's text) to the newest attempt that proved it, and how.

    Texts outlive a version's rows.
    """
    checks = CriterionCheck.objects.filter(attempt__task__in=tasks).order_by("attempt__number")
    rows = checks.values_list("attempt__task_id", "criterion__text", "attempt__number", "evidence")
    return {(task, text): (number, evidence) for task, text, number, evidence in rows}


def with_rework(workstreams: QuerySet[Workstream]) -> QuerySet[Workstream]:
    """The rows that `rework_count` reads."""
    acts = HistoryEntry.objects.filter(workstream=OuterRef("pk"), action=SENT_BACK)
    tasks = Task.objects.filter(workstream=OuterRef("pk"))
    counted = acts.order_by().values("workstream").annotate(n=Count("pk")).values("n")
    redone = tasks.order_by().values("workstream").annotate(n=Sum("rework")).values("n")
    return workstreams.annotate(
        sent_back=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
        steps_redone=Coalesce(Subquery(redone, output_field=IntegerField()), 0),
    )


def rework_count(workstream: Workstream) -> ReworkCount:
    """The counts of a row that came through `with_rework`."""
    return ReworkCount(workstream.sent_back, workstream.steps_redone)  # type: ignore[attr-defined]
