"""A plan as canonical PLAN.md: whatever was read, read again it is the same plan (AD-5).

Everything is said, nothing is left to be inferred. Lines and what a reader inferred are not part of a plan's
content.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from orchestrator.core.plans.action import ACTION
from orchestrator.core.plans.plan import BatchSpec, GateSpec, Plan, Progress, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.text.boxes import MARKS
from orchestrator.core.plans.text.escapes import escape, protect_end, protect_title
from orchestrator.core.plans.text.front_matter import quoted
from orchestrator.core.terms import GateKind, StageKind

#: Names that a gate has when its plan gives it none.
UNNAMED: Final = {"Merge point", "Gate"}


def render_plan(plan: Plan, progress: Iterable[Progress] = ()) -> str:
    """The text of a plan; ends with a line break. With the progress of its steps their boxes are ticked."""
    boxes = {one.key: f"[{box}] " for one in progress if (box := MARKS.get(one.status))}
    lines = [*_front_matter(plan), f"# Plan: {plan.name}", ""]
    if plan.summary:
        lines += ["## Summary", "", *escape(plan.summary), ""]
    if plan.questions:
        asked = (f"- [{'x' if question.answered else ' '}] {question.text}" for question in plan.questions)
        lines += ["## Questions", "", *asked, ""]
    lines += ["## Stages", ""]
    for stage in plan.stages:
        lines += _stage(stage, boxes)
    return "\n".join(lines).rstrip("\n") + "\n"


def _front_matter(plan: Plan) -> Iterator[str]:
    given = [("domain", plan.domain), ("owner", plan.owner), ("repository", plan.repository)]
    given += [("priority", str(plan.priority) if plan.priority else "")]
    given += [("base_branch", plan.base_branch if plan.base_branch != "main" else "")]
    given += [("verify", plan.verify), ("budget", plan.budget), ("silence", plan.silence)]
    lines = [f"{name}: {quoted(value)}" for name, value in given if value]
    if plan.approvers:
        lines.append(f"approvers: [{', '.join(plan.approvers)}]")
    if plan.approvals:
        lines.append(f"approvals: {plan.approvals}")
    if plan.by_needs:
        lines.append("order: dependencies")
    if plan.needs:
        lines.append(f"needs: [{', '.join(plan.needs)}]")
    if plan.parameters:
        lines += ["parameters:", *(f"  {name}: {quoted(value)}" for name, value in plan.parameters)]
    if lines:
        yield from ("---", *lines, "---", "")


def _stage(stage: StageSpec, boxes: Mapping[str, str]) -> Iterator[str]:
    yield from (f"### Stage {stage.number}: {protect_end(stage.name)}", "")
    if stage.kind is not StageKind.NORMAL:
        yield from (f"- Kind: {stage.kind}", "")
    if stage.definition:
        yield from ("#### Stage Definition", "", *escape(stage.definition), "")
    for batch in stage.batches:
        gates = [thread for thread in batch.threads if thread.steps and thread.steps[-1].gate]
        if not gates or len(gates) < len(batch.threads):
            yield from _batch(batch, gates, boxes)
        for thread in gates:
            gate = next(step for step in thread.steps if step.gate)
            name = batch.name if len(batch.threads) == 1 else unnamed(gate)
            yield from _gate(name, _as_written(gate, thread.steps))


def unnamed(gate: StepSpec) -> str:
    """What the batch of a gate is called: its title, or a word when its plan gives it none."""
    words = {f"Merge point {gate.key}": "Merge point", gate.key: "Gate"}
    return words.get(gate.title, gate.title)


def _as_written(gate: StepSpec, steps: Iterable[StepSpec]) -> StepSpec:
    """A gate with what the step that runs its action took over from it (`plan_action.py`)."""
    action = next((step for step in steps if ACTION in step.inferred), None)
    if action is None:
        return gate
    return replace(
        gate,
        needs=action.needs,
        tool=action.tool,
        run=action.run,
        files=action.files,
        resources=action.resources,
        exit=action.exit,
        estimate=action.estimate,
        outcomes=action.outcomes,
        max_attempts=action.max_attempts,
    )


def _batch(batch: BatchSpec, gates: Collection[ThreadSpec], boxes: Mapping[str, str]) -> Iterator[str]:
    """A batch and its threads; the gates that stand in it are written behind them (`order: dependencies`)."""
    yield from (f"##### Batch {batch.prefix}: {protect_end(batch.name)}", "")
    if batch.summary:
        yield from (*escape(batch.summary), "")
    for thread in batch.threads:
        yield from () if thread in gates else _thread(thread, boxes)


def _thread(thread: ThreadSpec, boxes: Mapping[str, str]) -> Iterator[str]:
    # A letter behind `Thread` could be a name; `Lane` says that it is an id.
    word = "Thread" if thread.lane.isdigit() else "Lane"
    yield from (f"###### {word} {thread.lane}: {protect_end(thread.name)}", "")
    given = [("Role", thread.role), ("Files", _ticked(thread.files)), ("Worktree", thread.worktree)]
    properties = [f"- {name}: {value}" for name, value in given if value]
    yield from (*properties, "") if properties else ()
    if thread.summary:
        yield from ("**Summary:**", "", *escape(thread.summary), "")
    yield from ("**Tasks:**", "")
    for step in thread.steps:
        yield f"- {boxes.get(step.key, '')}Task {step.key}: {protect_title(step.title)}"
        body = [*(escape(step.details) if step.details else ()), *_properties(step)]
        yield from (f"  {line}" if line else "" for line in body)
    yield ""


def _gate(name: str, step: StepSpec) -> Iterator[str]:
    gate = step.gate or GateSpec(GateKind.REVIEW)
    named = name not in UNNAMED
    word = "Merge Point" if name == "Merge point" or (named and gate.kind is GateKind.MERGE) else "Gate"
    yield from (f"##### {word} {step.key}:{' ' + step.title if named else ''}", "")
    if step.details:
        yield from (*escape(step.details), "")
    yield f"- Kind: {gate.kind}"
    given = [("Reviewers", ", ".join(gate.reviewers)), ("Unlocks", ", ".join(gate.unlocks))]
    given += [("Approvals", {0: "all", 1: ""}.get(gate.signatures, str(gate.signatures)))]
    yield from (f"- {name}: {value}" for name, value in given if value)
    yield from (f"- Action: {line}" for line in gate.action.split("\n") if line)
    yield from (*_properties(step), "")


def _properties(step: StepSpec) -> Iterator[str]:
    """The bullets of a step or a gate, in the order of the grammar."""
    tool = [("Role", step.role), ("Tool", step.tool), ("Run", f"`{step.run}`" if step.run else "")]
    tool += [("Verify", f"`{step.verify}`" if step.verify else "")]
    held = [("Files", _ticked(step.files)), ("Resources", _ticked(step.resources))]
    order = [
        ("Needs", ", ".join(need.key for need in step.needs)),
        ("Parallel", "yes" if step.parallel else ""),
    ]
    proof = [("Entry", text) for text in step.entry] + [("Exit", text) for text in step.exit]
    proof += [("Done when", text) for text in step.done_when]
    numbers = [
        ("Estimate", f"{step.estimate}m" if step.estimate else ""),
        ("Max attempts", step.max_attempts or ""),
    ]
    numbers += [("May add", step.may_add or ""), ("Budget", step.budget)]
    run_time = [("When", step.when), ("Outcomes", _ticked(step.outcomes)), ("Added by", step.added_by)]
    yield from (
        f"- {name}: {value}" for name, value in [*tool, *held, *order, *proof, *numbers, *run_time] if value
    )


def _ticked(items: Iterable[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)
