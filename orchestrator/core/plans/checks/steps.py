"""What steps and gates lack: roles, criteria, reviewers, tools, and files of their own (BX-5, FR-001)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from orchestrator.core.engine.contention import globs_overlap, literal_start
from orchestrator.core.engine.order import runs_of
from orchestrator.core.engine.verification import NONE
from orchestrator.core.findings import Finding
from orchestrator.core.people.roles import DOERS
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import BatchSpec, PlacedStep, Plan, StepSpec, ThreadSpec
from orchestrator.core.terms import Role

#: Pairs of file patterns that are compared in one plan; the scheduler compares again before it launches
#: anything.
COMPARED: Final = 200_000
_STEPS_SHOWN: Final = 10


def check_steps(plan: Plan, tools: frozenset[str]) -> Iterator[Finding]:
    placed = list(plan.placed_steps())
    work = [item for item in placed if item.step.gate is None]
    yield from _lacking(
        "no-exit-criteria",
        [item.step for item in work if not item.step.exit],
        "No exit criterion, so nothing proves the work is done",
        "Write `- Exit: what must hold` below each step; several are allowed.",
    )
    yield from _lacking(
        "no-role",
        [item.step for item in work if not (item.step.role or item.thread.role)],
        "No role, so nobody is responsible",
        "Write `- Role: contributor` below each step or its thread.",
    )
    yield from _roles(placed)
    for item in placed:
        yield from _tool(item.step, tools)
        if item.step.gate and not item.step.gate.reviewers:
            message = f"Gate {item.step.key} names nobody who may sign it, so every reviewer may."
            yield finding(
                "gate-without-reviewer",
                item.step.line,
                message,
                "Write `- Reviewers: name or role` below it.",
            )
        yield from _too_few(item.step)
    yield from _verification(plan, tools)
    yield from _overlaps(plan)


def _too_few(step: StepSpec) -> Iterator[Finding]:
    """A gate that names people only can be signed by so many; a role may be held by any number."""
    gate = step.gate
    if gate is None or not gate.reviewers or any(name in tuple(Role) for name in gate.reviewers):
        return
    if gate.signatures > len(set(gate.reviewers)):
        message = (
            f"Gate {step.key} asks for {gate.signatures} signatures and names "
            f"{len(set(gate.reviewers))} people."
        )
        yield finding(
            "too-few-reviewers", step.line, message, "Name more people or a role, or ask for fewer."
        )


def _lacking(code: str, steps: list[StepSpec], lack: str, fix: str) -> Iterator[Finding]:
    """One finding for all steps that lack the same thing, with their lines."""
    if steps:
        shown = ", ".join(f"{step.key} (line {step.line})" for step in steps[:_STEPS_SHOWN])
        more = f" and {len(steps) - _STEPS_SHOWN} more" if len(steps) > _STEPS_SHOWN else ""
        yield finding(code, steps[0].line, f"{lack}: {shown}{more}.", fix)


def _roles(placed: list[PlacedStep]) -> Iterator[Finding]:
    seen: set[str] = set()
    for item in placed:
        for role, line in ((item.step.role, item.step.line), (item.thread.role, item.thread.line)):
            if role and role not in seen and role not in DOERS:
                message = f"Nobody does work as “{role[:60]}”, so everybody who may work can take it."
                yield finding(
                    "unknown-role", line, message, f"Roles that do work are {', '.join(sorted(DOERS))}."
                )
            seen.add(role)


def _tool(step: StepSpec, tools: frozenset[str]) -> Iterator[Finding]:
    if step.tool and step.tool not in tools:
        known = ", ".join(sorted(tools)) or "none"
        message = f"{step.key} uses the tool “{step.tool[:60]}”, which is not registered."
        fix = f"Use a registered tool ({known}), or ask the operator to register this one."
        yield finding("unknown-tool", step.line, message, fix)
    if step.run and not step.tool:
        message = f"{step.key} gives a command but no tool, so nothing runs it."
        yield finding("run-without-tool", step.line, message, "Write `- Tool: name` below it.")


def _verification(plan: Plan, tools: frozenset[str]) -> Iterator[Finding]:
    """A line that no tool runs proves nothing: what is said of such a step stays somebody's word (BX-9)."""
    lines = [("The plan", plan.verify, 0), *((step.key, step.verify, step.line) for step in plan.steps())]
    for who, verify, line in lines:
        tool = verify.partition(" ")[0]
        if verify and tool.lower() != NONE and tool not in tools:
            known = ", ".join(sorted(tools)) or "none"
            message = f"{who} is verified by “{tool[:60]}”, which is not registered, so nothing proves it."
            fix = (
                f"Begin the line with a registered tool ({known}), or ask the operator to register this one."
            )
            yield finding("unknown-verification", line, message, fix)


class _Claim(NamedTuple):
    """A file pattern and who owns it: a thread (`step` is -1), or a step in a run of parallel ones."""

    segments: tuple[str, ...]
    pattern: str
    thread: int
    step: int
    run: int
    name: str
    line: int

    def disturbs(self, other: "_Claim") -> bool:
        """Whether both can be at work at the same time."""
        if self.thread != other.thread:
            return True
        return self.step != other.step and self.run == other.run >= 0


def _overlaps(plan: Plan) -> Iterator[Finding]:
    left = COMPARED
    for batch in (batch for stage in plan.stages for batch in stage.batches):
        yield from _shared_lanes(batch)
        found, left = _overlaps_in(batch, left)
        yield from found
        if left <= 0:
            message = "There are too many file patterns to compare all of them here."
            fix = "Use fewer, wider patterns. The scheduler never starts two that overlap at the same time."
            yield finding("overlap-not-checked", batch.line, message, fix)
            return


def _shared_lanes(batch: BatchSpec) -> Iterator[Finding]:
    """One finding for neighbouring parallel steps that have no files but those of their thread."""
    for thread in (thread for thread in batch.threads if thread.files):
        for steps in _sharing(thread):
            if len(steps) > 1:
                shown = ", ".join(step.key for step in steps[:_STEPS_SHOWN])
                more = f" and {len(steps) - _STEPS_SHOWN} more" if len(steps) > _STEPS_SHOWN else ""
                message = (
                    f"{shown}{more} are parallel and have the files of {_lane_name(thread)} in common "
                    f"({', '.join(thread.files)[:200]}), so they run one after the other."
                )
                fix = "Give each step its own `Files`, or take `Parallel` away."
                yield finding("overlapping-files", steps[0].line, message, fix)


def _sharing(thread: ThreadSpec) -> Iterator[list[StepSpec]]:
    """The parallel steps without files of their own that wait for none of the others, run by run."""
    runs = runs_of(step.parallel for step in thread.steps)
    sharing: dict[int, list[StepSpec]] = {}
    for run, step in zip(runs, thread.steps, strict=True):
        if step.parallel and not step.files:
            sharing.setdefault(run, []).append(step)
    for steps in sharing.values():
        keys = {step.key for step in steps}
        yield [step for step in steps if not _waits_for_any(step, keys)]


def _waits_for_any(step: StepSpec, keys: set[str]) -> bool:
    return any(need.key in keys for need in step.needs)


def _overlaps_in(batch: BatchSpec, left: int) -> tuple[list[Finding], int]:
    """Compare each pattern with those whose literal start is a prefix of its own.

    The others cannot overlap.
    """
    found: list[Finding] = []
    told: set[tuple[int, ...]] = set()
    above: list[_Claim] = []
    for claim in sorted(_claims(batch)):
        while above and claim.segments[: len(above[-1].segments)] != above[-1].segments:
            above.pop()
        for other in above:
            left -= 1
            if left < 0:
                return found, 0
            pair = _pair(claim, other)
            if pair not in told and claim.disturbs(other) and globs_overlap(claim.pattern, other.pattern):
                told.add(pair)
                found.append(_overlap(batch, *sorted((claim, other), key=lambda c: (c.line, c.thread))))
        above.append(claim)
    return found, left


def _pair(a: _Claim, b: _Claim) -> tuple[int, ...]:
    """Two threads are told once, two steps of one thread are told once."""
    if a.thread != b.thread:
        return min(a.thread, b.thread), max(a.thread, b.thread)
    return a.thread, min(a.step, b.step), max(a.step, b.step)


def _overlap(batch: BatchSpec, first: _Claim, second: _Claim) -> Finding:
    shared = first.pattern if first.pattern == second.pattern else f"{first.pattern} and {second.pattern}"
    message = (
        f"{first.name} (line {first.line}) and {second.name} (line {second.line}) run side by side in batch "
        f"{batch.prefix} and own the same files: {shared}."
    )
    fix = "Give each its own files or put them in different batches; otherwise they run one after the other."
    return finding("overlapping-files", second.line, message, fix)


def _claims(batch: BatchSpec) -> Iterator[_Claim]:
    """What threads own, and what their steps own beyond that."""
    for number, thread in enumerate(batch.threads):
        for pattern in dict.fromkeys(thread.files):
            yield _Claim(literal_start(pattern), pattern, number, -1, -1, _lane_name(thread), thread.line)
        runs = runs_of(step.parallel for step in thread.steps)
        sharing = {steps[0].key for steps in _sharing(thread) if steps}
        for position, step in enumerate(thread.steps):
            # One of those that share the files of the thread stands for all of them.
            lane_files = thread.files if step.key in sharing else ()
            for pattern in dict.fromkeys(step.files or lane_files):
                inside = runs[position] if step.parallel else -1
                yield _Claim(
                    literal_start(pattern), pattern, number, position, inside, f"Step {step.key}", step.line
                )


def _lane_name(thread: ThreadSpec) -> str:
    return (
        f"Thread WS-{thread.lane}"
        if thread.lane.isalpha() and thread.lane.isupper()
        else f"Thread {thread.lane}"
    )
