"""What a fix stage behind a gate is prefilled with: everything that went wrong before it and still stands.

Requirements: WF-5.
"""

from collections.abc import Iterator

from orchestrator.contract.gates import FixDraft, ProblemFacts
from orchestrator.core.changes.fix_stage import FixProblem, name_from, stage_number, tasks_from
from orchestrator.core.plans.plan import slugify
from orchestrator.core.terms import AttemptStatus, CriterionKind, GateDecision
from orchestrator.models import Task, WorkflowVersion
from orchestrator.queries.gates.gates import GateSheet, gate_sheet
from orchestrator.queries.plans.readings import plan_of
from orchestrator.queries.work.tasks import TaskRow


def fix_draft(gate: Task, base: WorkflowVersion) -> FixDraft:
    """The draft for a gate; `base` is the version that would be amended."""
    sheet = gate_sheet(gate)
    problems = tuple(_problems(sheet))
    said = "; ".join(dict.fromkeys(f"{problem.key}: {problem.text}" for problem in problems))
    name = name_from(problems, f"{gate.step.key} findings")
    return FixDraft(
        gate=gate.step.key,
        name=name,
        slug=slugify(f"stage {stage_number(plan_of(base))} {name}"),
        reason=f"Found at {gate.step.key}: {said}"[:2000] if said else f"Problems found at {gate.step.key}.",
        tasks=tasks_from(problems, gate.step.key),
        problems=tuple(ProblemFacts(p.key, p.title, p.kind, p.text, p.criteria) for p in problems),
    )


def _problems(sheet: GateSheet) -> Iterator[FixProblem]:
    """The latest rejection first: the person who evaluated said what is wrong.

    Then what the steps themselves say.
    """
    rows = {before.row.task.step_id: before.row for before in sheet.incoming}
    reviews = (review for attempt in sheet.attempts for review in attempt.reviews.all())
    standing = (review for review in reviews if review.withdrawn_at is None)
    rejected = next((review for review in standing if review.decision == GateDecision.REJECTED), None)
    if rejected and (step := rejected.return_step):
        yield _problem(rows.get(step.pk), step.key, step.title, "rejected", rejected.reason)
    for row in rows.values():
        yield from _of_step(row)


def _of_step(row: TaskRow) -> Iterator[FixProblem]:
    task, latest = row.task, row.latest
    said: list[tuple[str, str]] = []
    if row.failed:
        said.append(("failed", row.failed.error or "it failed"))
    said += [("blocked", blocker.note) for blocker in task.blockers.filter(resolved_at=None).order_by("pk")]
    if task.needs_human and task.intervention_note:
        said.append(("question", task.intervention_note))
    usual = task.step.outcome_words[:1]
    if latest and latest.status == AttemptStatus.COMPLETED and usual and latest.result not in {"", *usual}:
        said.append(("result", f"it ended with {latest.result}. {latest.outcome}"))
    for kind, text in said:
        yield _problem(row, task.step.key, task.step.title, kind, text)


def _problem(row: TaskRow | None, key: str, title: str, kind: str, text: str) -> FixProblem:
    exits = row.task.step.criteria.filter(kind=CriterionKind.EXIT).order_by("position") if row else ()
    return FixProblem(key, title, kind, " ".join(text.split()), tuple(criterion.text for criterion in exits))
