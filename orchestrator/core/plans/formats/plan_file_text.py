"""Our plan file written: equal plans give equal bytes, and what says nothing is left out (AD-5)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from orchestrator.core.plans.formats.plan_file_schema import PLAN_FILE_SCHEMA, VERSION
from orchestrator.core.plans.plan import BatchSpec, GateSpec, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.terms import StageKind

Json = Mapping[str, Any]


def render_plan_file(plan: Plan) -> str:
    """The plan file of one plan; equal plans give equal bytes."""
    return _json({"schemaVersion": VERSION, "plan": _plan(plan)})


def render_plan_files(plans: Iterable[Plan]) -> str:
    """One plan file of several plans."""
    return _json({"schemaVersion": VERSION, "plans": [_plan(plan) for plan in plans]})


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _given(values: Json, required: Iterable[str] = ()) -> dict[str, Any]:
    """Without what says nothing."""
    kept = frozenset(required)
    nothing: tuple[Any, ...] = ("", [], {}, 0, False)
    return {name: value for name, value in values.items() if name in kept or value not in nothing}


def _plan(plan: Plan) -> dict[str, Any]:
    asked = [{"text": question.text, "answered": question.answered} for question in plan.questions]
    values = {
        "name": plan.name,
        "summary": plan.summary,
        "domain": plan.domain,
        "owner": plan.owner,
        "priority": plan.priority,
        "repository": plan.repository,
        "verify": plan.verify,
        "budget": plan.budget,
        "silence": plan.silence,
        "baseBranch": plan.base_branch if plan.base_branch != "main" else "",
        "needs": list(plan.needs),
        "approvers": list(plan.approvers),
        "approvals": plan.approvals,
        "order": "dependencies" if plan.by_needs else "",
        "parameters": dict(plan.parameters),
        "questions": asked,
        "stages": [_stage(stage) for stage in plan.stages],
    }
    return _given(values, ("name", "stages"))


def _stage(stage: StageSpec) -> dict[str, Any]:
    values = {
        "number": stage.number,
        "name": stage.name,
        "kind": stage.kind.value if stage.kind is not StageKind.NORMAL else "",
        "definition": stage.definition,
        "batches": [_batch(batch) for batch in stage.batches],
    }
    return _given(values, ("number", "name", "batches"))


def _batch(batch: BatchSpec) -> dict[str, Any]:
    threads = [_thread(thread) for thread in batch.threads]
    values = {"prefix": batch.prefix, "name": batch.name, "summary": batch.summary, "threads": threads}
    return _given(values, ("prefix", "name", "threads"))


def _thread(thread: ThreadSpec) -> dict[str, Any]:
    values = {
        "lane": thread.lane,
        "name": thread.name,
        "summary": thread.summary,
        "role": thread.role,
        "files": list(thread.files),
        "worktree": thread.worktree,
        "steps": [_step(step) for step in thread.steps],
    }
    return _given(values, ("lane", "name", "steps"))


def _step(step: StepSpec) -> dict[str, Any]:
    values = {
        "key": step.key,
        "title": step.title,
        "details": step.details,
        "gate": _gate_of(step.gate) if step.gate else {},
        "depends_on": [need.key for need in step.needs],
        "parallel": step.parallel,
        "role": step.role,
        "tool": step.tool,
        "run": step.run,
        "verify": step.verify,
        "budget": step.budget,
        "files": list(step.files),
        "resources": list(step.resources),
        "entry": list(step.entry),
        "exit": list(step.exit),
        "doneWhen": list(step.done_when),
        "when": step.when,
        "estimate": step.estimate,
        "outcomes": list(step.outcomes),
        "maxAttempts": step.max_attempts,
        "mayAdd": step.may_add,
        "addedBy": step.added_by,
    }
    return _given(values, ("key", "title"))


def _gate_of(gate: GateSpec) -> dict[str, Any]:
    values = {
        "kind": gate.kind.value,
        "reviewers": list(gate.reviewers),
        "signatures": gate.signatures,
        "action": gate.action,
        "unlocks": list(gate.unlocks),
    }
    return _given(values, ("kind", "signatures"))


SCHEMA_TEXT: Final = _json(PLAN_FILE_SCHEMA)
