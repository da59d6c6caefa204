"""Brief: all that an executor needs to do a task, or to continue it (WF-4, WF-9, FR-014)."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

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
from orchestrator.core.strict_json import LARGEST
from orchestrator.core.terms import AttemptStatus, CriterionKind, InterventionKind, TaskStatus
from orchestrator.models import Attempt, HandoffArtifact, Intervention, Step, Task, Workstream
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.sql import Joined
from orchestrator.queries.engine.explanations import explain_one
from orchestrator.queries.engine.present import present_in_brief
from orchestrator.queries.handoff.artifact_facts import facts_of, with_outputs
from orchestrator.queries.handoff.documentation import built, is_documentation
from orchestrator.queries.handoff.upstream import Upstream
from orchestrator.queries.work.additions import steps_left
from orchestrator.queries.work.fitting import fitted
from orchestrator.queries.work.learned import learned_for
from orchestrator.queries.work.places import place_of
from orchestrator.queries.work.proof import criteria_of, proof_demanded, verification_facts, verified_by
from orchestrator.queries.work.relations import taken_over
from orchestrator.queries.work.rework import rework_of
from orchestrator.queries.work.task_facts import task_facts, whole_task


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
    return brief_of(whole_task(task_id))


def brief_of(task: Task) -> Brief:
    """The same of a task that came from `whole_task`."""
    step, has, around = task.step, present_in_brief(task), _around(task.step)
    upstream = upstream_of(task, around.needs)
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
        needs=tuple(around.needs.values()),
        files=around.files,
        resources=around.resources,
        place=place_of(task, upstream, around.owned),
        criteria=criteria,
        earlier_attempts=_earlier(task) if has.ended else (),
        upstream=upstream,
        interventions=_answers(task) if has.questions else (),
        learnings=_learnings(task) if has.learnings or task.workstream.version.repository else (),
        documents=_documents(task.workstream) if is_documentation(task.workstream, step) else (),
        took_over=taken_over(task.workstream) if has.taken_over else (),
        rework=rework_of(task) if has.completed else None,
        verified_by=verified_by(task, task.workstream),
        verification=next((verification_facts(one) for one in task.live), None),  # type: ignore[attr-defined]
    )


class _Around(NamedTuple):
    """What a step names: keys of the steps that it needs, by id, files and other resources that it holds, and
    the files that its thread owns."""

    needs: dict[int, str]
    files: tuple[str, ...]
    resources: tuple[str, ...]
    owned: tuple[str, ...]


def _around(step: Step) -> _Around:
    """One statement."""
    needs: dict[int, str] = {}
    names: dict[str, list[str]] = {"files": [], "resource": [], "owned": []}
    for row in _AROUND.rows(step.pk, step.pk, step.thread_id):
        if row["kind"] == "need":
            needs[row["number"]] = row["name"]
        else:
            names[row["kind"]].append(row["name"])
    files, resources, owned = (tuple(sorted(some)) for some in names.values())
    return _Around(dict(sorted(needs.items())), files, resources, owned)


_AROUND = Joined(
    {},
    """(
SELECT 'need' AS kind, need.needed_id AS number, needed.key AS name FROM orchestrator_stepneed need
JOIN orchestrator_step needed ON needed.id = need.needed_id WHERE need.step_id = %s
UNION ALL SELECT CASE WHEN held.is_files THEN 'files' ELSE 'resource' END, 0, held.name
FROM orchestrator_stepresource held WHERE held.step_id = %s
UNION ALL SELECT 'owned', 0, owned.pattern FROM orchestrator_ownedfiles owned WHERE owned.thread_id = %s
) around""",
    {name: f"around.{name}" for name in ("kind", "number", "name")},
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
    rows = criteria_of(task.step_id)
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
    if not before:
        return ()
    return facts_of(with_outputs(HandoffArtifact.objects.filter(pk__in=before)).order_by("sequence"))
