"""Numbers, names and paths of a plan: unique, in order, usable and not too long."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.git_names import BRANCH_LENGTH, is_branch_name
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, StageSpec, StepSpec
from orchestrator.core.plans.text.phrases import KEY
from orchestrator.core.terms import StageKind

LARGE_PLAN: Final = 1_000
LONGEST: Final = {
    "name": 200,
    "domain": 60,
    "owner": 150,
    "repository": 100,
    "base branch": BRANCH_LENGTH,
    "key": 80,
    "title": 300,
    "tool": 60,
    "command": 500,
    "condition": 300,
    "criterion": 500,
    "role": 20,
    "file pattern": 300,
    "resource": 300,
    "reviewer": 150,
    "worktree": 200,
}
_DRIVE: Final = re.compile(r"[A-Za-z]:|[~/\\-]")


def check_shape(plan: Plan) -> Iterator[Finding]:
    yield from _duplicate_keys(plan)
    yield from _numbers(plan)
    yield from _names(plan)
    yield from _paths(plan)
    yield from _lengths(plan)
    yield from _documentation(plan)
    steps = sum(1 for _ in plan.steps())
    if steps > LARGE_PLAN:
        message = f"The plan has {steps:,} steps: too many to review one by one."
        yield finding(
            "very-large-plan", 0, message, "Consider several workstreams that depend on one another."
        )


def _duplicate_keys(plan: Plan) -> Iterator[Finding]:
    lines: dict[str, int] = {}
    for step in plan.steps():
        if step.key in lines:
            message = f"The key {step.key} is used on line {lines[step.key]} and again on line {step.line}."
            yield finding("duplicate-key", step.line, message, "Give each step a key of its own.")
        lines.setdefault(step.key, step.line)


def _numbers(plan: Plan) -> Iterator[Finding]:
    yield from _numbered("Stage", [(f"{stage.number}", stage.line) for stage in plan.stages], _fixes(plan))
    for stage in plan.stages:
        yield from _numbered("Batch", [(batch.prefix, batch.line) for batch in stage.batches])
        yield from _empty(stage)
        for batch in stage.batches:
            lanes = [(thread.lane, thread.line) for thread in batch.threads]
            yield from _numbered("Thread", lanes, frozenset(number for number, _ in lanes))


def _fixes(plan: Plan) -> frozenset[str]:
    """Fix stages are numbered after all that is there, wherever they stand (WF-5)."""
    return frozenset(f"{stage.number}" for stage in plan.stages if stage.kind is StageKind.FIX)


def _numbered(
    what: str, numbers: list[tuple[str, int]], anywhere: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Numbers that stand twice, or behind higher ones; those `anywhere` have no place in the order."""
    lines: dict[str, int] = {}
    highest = -1
    for number, line in numbers:
        if number in lines:
            message = f"{what} {number} stands on line {lines[number]} and again on line {line}."
            yield finding("duplicate-number", line, message, "Give each its own number.")
        elif number.isdecimal() and number not in anywhere and int(number) < highest:
            message = (
                f"{what} {number} stands behind {what.lower()} {highest}; its position decides, "
                f"not its number."
            )
            yield finding("number-out-of-order", line, message, "Number them in the order in which they run.")
        lines.setdefault(number, line)
        if number.isdecimal() and number not in anywhere:
            highest = max(highest, int(number))


def _empty(stage: StageSpec) -> Iterator[Finding]:
    if not stage.batches:
        message = f"Stage {stage.number} has no batches, so nothing happens in it."
        yield finding(
            "empty-stage", stage.line, message, "Add `##### Batch 01: name` below it, or take it out."
        )
    for batch in stage.batches:
        if not any(thread.steps for thread in batch.threads):
            message = f"Batch {batch.prefix} of stage {stage.number} has no steps."
            yield finding(
                "empty-batch", batch.line, message, "Add threads or steps below it, or take it out."
            )


def _names(plan: Plan) -> Iterator[Finding]:
    for step in plan.steps():
        if not KEY.fullmatch(step.key) and len(step.key) <= LONGEST["key"]:
            message = f"The key “{step.key}” has characters that a key may not have."
            yield finding(
                "unusable-name", step.line, message, "Use letters, digits, hyphens, dots and underscores."
            )
    for what, name in (("base branch", plan.base_branch), ("repository", plan.repository)):
        if name and not is_branch_name(name) and len(name) <= LONGEST[what]:
            message = f"“{name[:80]}” cannot be the name of a {what}."
            yield finding(
                "unusable-name", 0, message, "Use letters, digits, hyphens, dots, slashes and underscores."
            )


def _paths(plan: Plan) -> Iterator[Finding]:
    seen: set[tuple[str, int]] = set()
    for path, line in _all_paths(plan):
        if (path, line) not in seen and _leads_out(path):
            message = f"The path “{path[:80]}” leads out of the repository or into its .git folder."
            yield finding(
                "unsafe-path", line, message, "Write a path relative to the repository, without `..`."
            )
        seen.add((path, line))


def _all_paths(plan: Plan) -> Iterator[tuple[str, int]]:
    for thread in plan.threads():
        yield from ((path, thread.line) for path in (*thread.files, *filter(None, (thread.worktree,))))
    for step in plan.steps():
        yield from ((path, step.line) for path in step.files)


def _leads_out(path: str) -> bool:
    segments = path.lower().split("/")
    return (
        bool(_DRIVE.match(path))
        or "\\" in path
        or ".." in segments
        or ".git" in segments
        or not path.isprintable()
    )


def _lengths(plan: Plan) -> Iterator[Finding]:
    for what, text, line in _texts(plan):
        if len(text) > LONGEST[what]:
            message = (
                f"A {what} has {len(text):,} characters; at most {LONGEST[what]} are allowed: {text[:40]}…"
            )
            yield finding("too-long", line, message, "Shorten it; details may be as long as needed.")


def _texts(plan: Plan) -> Iterator[tuple[str, str, int]]:
    own = {"name": plan.name, "domain": plan.domain, "owner": plan.owner, "repository": plan.repository}
    yield from (
        (what, text, 0)
        for what, text in (own | {"base branch": plan.base_branch, "command": plan.verify}).items()
    )
    for stage in plan.stages:
        yield "name", stage.name, stage.line
        yield from (("name", batch.name, batch.line) for batch in stage.batches)
    for thread in plan.threads():
        yield "name", thread.name, thread.line
        yield "role", thread.role, thread.line
        yield "worktree", thread.worktree, thread.line
        yield from (("file pattern", pattern, thread.line) for pattern in thread.files)
    for step in plan.steps():
        if _may_be_long(step):
            yield from ((what, text, step.line) for what, texts in _step_texts(step) for text in texts)


def _may_be_long(step: StepSpec) -> bool:
    """Whether a text of a step may be longer than allowed: those of most steps are not, all together."""
    names = (
        len(step.key) + len(step.tool) + len(step.run) + len(step.verify) + len(step.when) > LONGEST["tool"]
    )
    lists = "".join(step.entry + step.exit + step.done_when + step.files + step.resources)
    if step.gate or len(lists) > LONGEST["resource"]:
        return True
    return names or len(step.title) > LONGEST["title"] or len(step.role) > LONGEST["role"]


def _step_texts(step: StepSpec) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("key", (step.key,)),
        ("title", (step.title,)),
        ("tool", (step.tool,)),
        ("role", (step.role,)),
        ("command", (step.run, step.verify)),
        ("condition", (step.when,)),
        ("criterion", step.entry + step.exit + step.done_when),
        ("file pattern", step.files),
        ("resource", step.resources),
        ("reviewer", step.gate.reviewers if step.gate else ()),
    )


def _documentation(plan: Plan) -> Iterator[Finding]:
    """A plan ends with a batch that turns its outputs into documentation (WF-6)."""
    batches = (batch for stage in plan.stages for batch in stage.batches)
    written = any(batch.documents for batch in batches)
    if not written and all(stage.kind is not StageKind.DOCUMENTATION for stage in plan.stages):
        message = "No batch writes the documentation that the work should end with."
        yield finding("no-documentation", 0, message, "Add `##### Batch 99: document` at the end.")
