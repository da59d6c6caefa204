"""Adoption: work that was done before its plan came here stands as the source tells it (WF-8).

`core.adoption` says what becomes of each task; here it is written, in the transaction of the approval that
creates the tasks, and in that of each signature that opens a gate behind which more was done. A later version
adopts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter

from orchestrator.core.actions import Action
from orchestrator.core.changes.adoption import Adopted, AdoptedAs
from orchestrator.core.engine.proof import ProofWord
from orchestrator.core.terms import AttemptStatus, BlockerKind, CriterionKind, TaskStatus
from orchestrator.models import Attempt, Blocker, Criterion, CriterionCheck, Task, WorkflowVersion, Workstream
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.plans.adoption import held_behind
from orchestrator.queries.plans.readings import adoption_by
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import Said, record_each, speaks_of, tells_of
from orchestrator.services.base.progress import count_blockers, recount
from orchestrator.services.handoff.artifacts import announce_adopted

#: What is written down when the tasks are created; what waits for a gate, or is a gate, stays as any other
#: task.
AT_ONCE = frozenset(AdoptedAs) - {AdoptedAs.HELD, AdoptedAs.SIGNED_HERE}


@dataclass(frozen=True, slots=True)
class _AdoptionAct:
    """A locked workstream takes over what the source of a version tells."""

    version: WorkflowVersion
    workstream: Workstream
    actor: Actor
    now: datetime


def adopt_state(*, version: WorkflowVersion, workstream: Workstream, actor: Actor, now: datetime) -> None:
    """Let the fresh tasks of a locked workstream stand as the source tells, if it was submitted so."""
    if found := adoption_by(version):
        _take_over(
            _AdoptionAct(version, workstream, actor, now),
            [verdict for verdict in found.verdicts if verdict.becomes in AT_ONCE],
        )


def adopt_behind(*, workstream: Workstream, actor: Actor, now: datetime) -> None:
    """After the last signature at a gate of a locked workstream: what the source had done behind it stands as
    complete.

    Nothing that rests on a result which is another one by now is taken over.
    """
    version, verdicts = held_behind(workstream)
    if version is not None and verdicts:
        _take_over(_AdoptionAct(version, workstream, actor, now), verdicts)


def _take_over(act: _AdoptionAct, verdicts: Sequence[Adopted]) -> None:
    tasks = _tasks(act.workstream, [verdict.key for verdict in verdicts])
    attempts = _complete(
        act, [verdict for verdict in verdicts if verdict.becomes is AdoptedAs.COMPLETE], tasks
    )
    blockers = _block(act, [verdict for verdict in verdicts if verdict.becomes is AdoptedAs.BLOCKED], tasks)
    count_blockers(act.workstream, len(blockers))
    _set(act, verdicts, tasks)
    record_each(
        workstream=act.workstream,
        actor=act.actor,
        action=Action.WORK_ADOPTED,
        entries=[
            _said(act, verdict, attempts.get(verdict.key), blockers.get(verdict.key)) for verdict in verdicts
        ],
        now=act.now,
    )
    if any(verdict.becomes in {AdoptedAs.COMPLETE, AdoptedAs.RESUMED} for verdict in verdicts):
        act.workstream.started_at = act.workstream.started_at or act.now
    recount(act.workstream, act.now)


def _tasks(workstream: Workstream, keys: Iterable[str]) -> dict[str, Task]:
    rows = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    rows = rows.select_related("step__thread__batch__stage")
    wanted = set(keys)
    found = {task.step.key: task for task in rows if task.step.key in wanted}
    for task in found.values():
        task.workstream, task.step.version = workstream, workstream.version
    return found


def _set(act: _AdoptionAct, verdicts: Iterable[Adopted], tasks: Mapping[str, Task]) -> None:
    """What many share is written at once: a value of its own for each row costs many times as much."""
    by_status: dict[TaskStatus, list[int]] = {}
    for verdict in verdicts:
        task = tasks[verdict.key]
        task.status, task.breadcrumb = verdict.status, verdict.breadcrumb
        by_status.setdefault(verdict.status, []).append(task.pk)
    for status, keys in by_status.items():
        for some in in_parts(keys):
            proof = ProofWord.ASSERTED if status == TaskStatus.COMPLETE else ""
            Task.objects.filter(pk__in=some).update(status=status, proof=proof, updated_at=act.now)
            tells_of(Task, some, proof=proof)
    Task.objects.bulk_update(tasks.values(), ["breadcrumb"], batch_size=200)


def _complete(
    act: _AdoptionAct, verdicts: Sequence[Adopted], tasks: Mapping[str, Task]
) -> dict[str, Attempt]:
    """A completed attempt for each that nobody claimed, with honest evidence and its handoff artifact."""
    by_key = {one.key: one for one in verdicts}
    order: TopologicalSorter[str] = TopologicalSorter()
    for key, verdict in by_key.items():
        order.add(key, *(other for other in verdict.before if other in by_key))
    ordered = [by_key[key] for key in order.static_order()]
    attempts = Attempt.objects.bulk_create(
        Attempt(
            task=tasks[verdict.key],
            number=1,
            status=AttemptStatus.COMPLETED,
            queued_at=act.now,
            ended_at=act.now,
            outcome=_outcome(act, verdict),
            proof=ProofWord.ASSERTED,
            adopted=True,
        )
        for verdict in ordered
    )
    speaks_of(*attempts)
    _take_as_met(act, attempts)
    before = {attempt.task.step.key: by_key[attempt.task.step.key].before for attempt in attempts}
    announce_adopted(
        attempts=attempts, before=before, workstream=act.workstream, actor=act.actor, now=act.now
    )
    return {attempt.task.step.key: attempt for attempt in attempts}


def _outcome(act: _AdoptionAct, one: Adopted) -> str:
    line = f", line {one.said.line}" if one.said.line else ""
    said = one.said.report or one.said.breadcrumb or "complete"
    who = f" Done by {one.said.agent}." if one.said.agent else ""
    return f"Taken over from {act.version.source_name}{line}: {said}{who}"


def _take_as_met(act: _AdoptionAct, attempts: Sequence[Attempt]) -> None:
    """Evidence for every exit criterion that tells the truth: the source says so, and nobody looked here.

    Requirements: BX-9.
    """
    by_step = {attempt.task.step_id: attempt for attempt in attempts}
    for some in in_parts(sorted(by_step)):
        criteria = Criterion.objects.filter(step__in=some, kind=CriterionKind.EXIT)
        checks = CriterionCheck.objects.bulk_create(
            CriterionCheck(
                attempt=by_step[criterion.step_id],
                criterion=criterion,
                evidence=f"Not checked here. {by_step[criterion.step_id].outcome}",
                checked_by=act.actor.account,
                checked_as=act.actor.label,
                checked_at=act.now,
            )
            for criterion in criteria
        )
        speaks_of(*checks)


def _block(act: _AdoptionAct, verdicts: Sequence[Adopted], tasks: Mapping[str, Task]) -> dict[str, Blocker]:
    """Whoever submitted the plan knows what is in the way, and owns the blockers."""
    blockers = Blocker.objects.bulk_create(
        Blocker(
            task=tasks[verdict.key],
            kind=BlockerKind.OTHER,
            note=verdict.breadcrumb,
            owner=act.version.author,
            declared_by=act.actor.account,
            declared_as=act.actor.label,
            declared_at=act.now,
        )
        for verdict in verdicts
    )
    speaks_of(*blockers)
    return {one.key: blocker for one, blocker in zip(verdicts, blockers, strict=True)}


def _said(act: _AdoptionAct, one: Adopted, attempt: Attempt | None, blocker: Blocker | None) -> Said:
    data = {
        "task": one.key,
        "version": act.version.number,
        "as": one.becomes.value,
        "status": one.status.value,
        "breadcrumb": one.breadcrumb,
        "attempt": attempt.pk if attempt else 0,
        "blocker": blocker.pk if blocker else 0,
        "author": act.version.author.get_username(),
    }
    return Said(one.key, one.reason, data)
