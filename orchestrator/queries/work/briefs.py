"""Brief: all that an executor needs to do a task, or to continue it (WF-4, WF-9, FR-014)."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any

from orchestrator.contract.artifacts import ArtifactFacts
from orchestrator.contract.briefs import (
    Brief,
    CriterionFacts,
    DocumentedStep,
    EarlierAttempt,
    InterventionFacts,
    Shortened,
    TaughtFacts,
)
from orchestrator.core.engine.proof import kinds_to_prove
from orchestrator.core.errors import NotFound
from orchestrator.core.strict_json import LARGEST
from orchestrator.core.terms import AttemptStatus, CriterionKind, InterventionKind, TaskStatus
from orchestrator.models import Attempt, Criterion, HandoffArtifact, Intervention, Task, Workstream
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.engine.explanations import explain_one
from orchestrator.queries.handoff.artifact_facts import facts_of, with_outputs
from orchestrator.queries.handoff.documentation import built, is_documentation
from orchestrator.queries.handoff.upstream import Upstream
from orchestrator.queries.work.additions import steps_left
from orchestrator.queries.work.fitting import fitted
from orchestrator.queries.work.learned import learned_for
from orchestrator.queries.work.places import place_of
from orchestrator.queries.work.proof import proof_demanded, verification_facts, verified_by
from orchestrator.queries.work.relations import taken_over
from orchestrator.queries.work.rework import rework_of
from orchestrator.queries.work.task_facts import task_facts, with_live_attempts


def brief(task_id: int, offset: int = 0) -> Brief:
    """The brief of a task, so short that it fits an agent's context; NotFound when there is none.

    With an `offset` its lists begin later.
    """
    whole = whole_brief(task_id)
    later = part_of_brief(whole, limit=LARGEST, offset=offset) if offset else whole
    shown, left_out = fitted(later)
    return replace(shown, left_out=left_out)


def part_of_brief(whole: Brief, *, limit: int, offset: int) -> Brief:
    """The brief with these entries of each of its lists; texts are whole."""
    lists = {one.name: getattr(whole, one.name) for one in fields(whole)}
    parts: dict[str, Any] = {name: rows for name, rows in lists.items() if isinstance(rows, tuple)}
    shown = {name: rows[offset : offset + limit] for name, rows in parts.items()}
    rest = [
        Shortened(name, offset + len(shown[name]), len(rows))
        for name, rows in parts.items()
        if offset + limit < len(rows)
    ]
    return replace(whole, **(shown | {"left_out": tuple(rest)}))


def whole_brief(task_id: int) -> Brief:
    """Everything; NotFound when there is no such task."""
    rows = with_live_attempts(
        Task.objects.select_related("step__thread__batch__stage", "workstream__version__workflow")
    )
    task = rows.filter(pk=task_id).first()
    if task is None:
        raise NotFound("There is no such task.")
    step = task.step
    needs = dict(step.needs.values_list("needed_id", "needed__key"))
    upstream = upstream_of(task, needs)
    held = list(step.resources.values_list("name", "is_files"))
    criteria = _criteria(task)
    return Brief(
        summary=_summary(task, criteria),
        address=f"/api/tasks/{task.pk}/brief",
        task=task_facts(task, explain_one(task)),
        details=step.details,
        role=step.role or step.thread.owner_role,
        tool=step.tool,
        run=step.run,
        condition=step.condition,
        outcomes=step.outcome_words,
        may_add=steps_left(step),
        needs=tuple(needs.values()),
        files=tuple(name for name, is_files in held if is_files),
        resources=tuple(name for name, is_files in held if not is_files),
        place=place_of(task, upstream),
        criteria=criteria,
        earlier_attempts=_earlier(task),
        upstream=upstream,
        interventions=_answers(task),
        learnings=_learnings(task),
        documents=_documents(task.workstream) if is_documentation(task.workstream, step) else (),
        took_over=taken_over(task.workstream),
        rework=rework_of(task),
        verified_by=verified_by(task, task.workstream),
        verification=next((verification_facts(one) for one in task.live), None),  # type: ignore[attr-defined]
    )


def _summary(task: Task, criteria: Sequence[CriterionFacts]) -> str:
    """What to do and how it ends, in a few sentences."""
    asked = [str(one.id) for one in criteria if one.asked]
    proof = f"evidence for criterion {', '.join(asked[:20])}" if asked else "an outcome in a sentence"
    if len(asked) > 20:
        proof += f" and {len(asked) - 20} more"
    words = task.step.outcome_words
    ends = f", and one of the results {', '.join(words)}" if words else ""
    again = f" It is done again (rework {task.rework})." if task.rework else ""
    rule = task.workstream.version.workflow.proof_rule
    demanded = "" if task.step.is_gate else proof_demanded(task.step, rule)
    only = f" Here {demanded}: hand in a commit, which a command then proves." if demanded else ""
    return f"{task.step.key}: {task.step.title}. Complete it with {proof}{ends}.{only}{again}"


def _learnings(task: Task) -> tuple[TaughtFacts, ...]:
    return tuple(
        TaughtFacts(row.workstream.slug, row.after, row.went_wrong, row.worked, row.tighten)
        for row in learned_for(task.workstream)
    )


def _documents(workstream: Workstream) -> tuple[DocumentedStep, ...]:
    return tuple(
        DocumentedStep(
            stage=step.stage,
            batch=step.batch,
            thread=step.thread,
            key=step.key,
            title=step.title,
            state=step.state,
            outcome=step.outcome,
            outputs=step.outputs,
            documentation=step.documentation,
        )
        for step in built(workstream)
    )


def _answers(task: Task) -> tuple[InterventionFacts, ...]:
    return tuple(_answer(intervention) for intervention in task.interventions.prefetch_related("choices"))


def _answer(intervention: Intervention) -> InterventionFacts:
    return InterventionFacts(
        kind=InterventionKind(intervention.kind),
        note=intervention.note,
        choices=tuple(choice.text for choice in intervention.choices.all()),
        raised_by=intervention.raised_by,
        raised_at=intervention.raised_at,
        answer=intervention.answer,
        cleared_at=intervention.cleared_at,
    )


def _criteria(task: Task) -> tuple[CriterionFacts, ...]:
    asked = kinds_to_prove(task.rework)
    rows = Criterion.objects.filter(step=task.step_id).order_by("kind", "position")
    return tuple(CriterionFacts(c.pk, CriterionKind(c.kind), c.text, c.kind in asked) for c in rows)


def _earlier(task: Task) -> tuple[EarlierAttempt, ...]:
    ended = (
        Attempt.objects.filter(task=task)
        .exclude(status__in=LIVE)
        .select_related("assignment__executor", "same_as")
    )
    return tuple(_earlier_attempt(attempt) for attempt in ended.order_by("number"))


def _earlier_attempt(attempt: Attempt) -> EarlierAttempt:
    assignment = getattr(attempt, "assignment", None)
    return EarlierAttempt(
        number=attempt.number,
        status=AttemptStatus(attempt.status),
        executor=assignment.executor.name if assignment else "",
        claimed_as=assignment.claimed_as if assignment else "",
        outcome=attempt.outcome,
        result=attempt.result,
        error=attempt.error,
        commit=attempt.commit,
        ended_at=attempt.ended_at,
        same_as=attempt.same_as.number if attempt.same_as else None,
    )


def upstream_of(task: Task, needed: Collection[int]) -> tuple[ArtifactFacts, ...]:
    """The results that the task's artifact will link to.

    Those of steps that are being done again do not count. `needed` are the ids of the steps that its step
    names: what stands before it is then read in one statement, unless a later version dropped the step.
    """
    workstream, step = task.workstream, task.step
    if step.version_id == workstream.version_id:
        upstream = Upstream.of_launch(workstream, [task], {step.pk: set(needed)})
    else:
        upstream = Upstream(workstream)
    done = TaskStatus.COMPLETE
    before = [result.pk for result in upstream.results(step) if result.attempt.task.status == done]
    return facts_of(with_outputs(HandoffArtifact.objects.filter(pk__in=before)).order_by("sequence"))
