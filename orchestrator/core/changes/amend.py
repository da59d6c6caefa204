"""Amend a plan's text by the steps that a running step adds; new tasks as people write them (AD-8).

The text grows; nothing in it is patched. Whoever calls reads the result again like any other plan.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from orchestrator.core.engine.order import runs_of
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.plan import PlacedStep, Plan, StepSpec
from orchestrator.core.plans.text.lines import LineKind, scan, split_lines
from orchestrator.core.plans.text.phrases import read_keyed, read_property

KEY_PREFIX = "FIX"


@dataclass(frozen=True, slots=True)
class NewTask:
    """One line of work; without an exit criterion, that it is done is to be shown.

    A key is found when it has none.
    """

    title: str
    exit: str = ""
    key: str = ""

    @property
    def proof(self) -> str:
        return one_line(self.exit) or "It is shown to be done"


def new_tasks(text: str) -> tuple[NewTask, ...]:
    """One task a line, `title | exit criterion`; empty lines and list marks are passed over.

    A line `Exit: …` below a task is its criterion, as in a plan; several are joined. InvalidInput when no
    task stands above it.
    """
    tasks: list[NewTask] = []
    for line in text.splitlines():
        plain = re.sub(r"^\s*[-*+]\s+", "", line).strip()
        title, _, criterion = (part.strip() for part in plain.partition("|"))
        if (proof := _exit_line(plain)) is not None:
            _refuse_orphan(tasks, plain)
            tasks[-1] = replace(tasks[-1], exit="; ".join(filter(None, (tasks[-1].exit, proof))))
        elif title:
            tasks.append(NewTask(title, criterion))
    return tuple(tasks)


def _exit_line(line: str) -> str | None:
    """The criterion of a line that a plan would read as one; None for any other line."""
    written = read_property(line)
    return written[1] if written and written[0] == "exit" else None


def _refuse_orphan(above: Sequence[NewTask], line: str) -> None:
    if not above:
        raise InvalidInput(
            f"“{line[:80]}” stands above the first task.",
            recovery="Write the task first, and below it what proves that it is done.",
            field="tasks",
        )


def keyed_tasks(text: str) -> tuple[NewTask, ...]:
    """The same, and a line may begin with the key that its step gets: `A7: title | exit criterion`."""
    return tuple(_with_key(task) for task in new_tasks(text))


def _with_key(task: NewTask) -> NewTask:
    found = read_keyed(task.title)
    return replace(task, key=found.key, title=found.title) if found and found.strict and found.title else task


def is_listed(source: str, plan: Plan, key: str) -> bool:
    """Whether the step is an item of a list, and not a thread that lists none."""
    lines = split_lines(source)
    return any(step.key == key and not lines[step.line - 1].lstrip().startswith("#") for step in plan.steps())


def with_steps(source: str, plan: Plan, by: str, tasks: Sequence[NewTask]) -> tuple[str, tuple[NewTask, ...]]:
    """The source with steps directly behind the step `by`, in its thread; and the tasks with the keys they
    got.

    Parallel neighbours of `by` start together, so new steps stand behind all of them, and behind what they
    added before.
    """
    anchor = _last_of_run(plan, by)
    lines = scan(split_lines(source)).lines
    at = anchor.line
    for line in lines[at:]:
        if line.kind is not LineKind.BLANK and line.indent <= lines[anchor.line - 1].indent:
            break
        at = line.number if line.kind is not LineKind.BLANK else at
    named = _with_free_keys(plan, by, tasks)
    raw = lines[anchor.line - 1].raw
    indent = raw[: len(raw) - len(raw.lstrip())]
    texts = split_lines(source)
    serial = any(step.key == by and step.parallel for step in plan.steps())
    return "\n".join(
        [*texts[:at], *(indent + line for line in _step_lines(by, named, serial)), *texts[at:]]
    ), named


def _last_of_run(plan: Plan, by: str) -> StepSpec:
    thread = next(placed.thread for placed in plan.placed_steps() if placed.step.key == by)
    keys = [step.key for step in thread.steps]
    runs = runs_of(step.parallel for step in thread.steps)
    start = end = keys.index(by)
    start = runs.index(runs[start])
    while end + 1 < len(keys):
        beside = runs[end + 1] == runs[end]
        if not beside and thread.steps[end + 1].added_by not in keys[start : end + 1]:
            break
        end += 1
    return thread.steps[end]


def _with_free_keys(plan: Plan, by: str, tasks: Sequence[NewTask]) -> tuple[NewTask, ...]:
    """Keys that name the thread of the step that adds: `A3-1`, or `01.01.02.03.01` behind a numbered one."""
    taken = {step.key for step in plan.steps()} | {task.key for task in tasks}
    pattern = "{}.{:02}" if by.count(".") == 3 and by.replace(".", "").isdigit() else "{}-{}"
    free = (key for n in range(1, len(taken) + len(tasks) + 1) if (key := pattern.format(by, n)) not in taken)
    return tuple(task if task.key else replace(task, key=next(free)) for task in tasks)


def _step_lines(by: str, tasks: Sequence[NewTask], serial: bool) -> Iterator[str]:
    """`serial` says so, where steps are parallel by their place."""
    for task in tasks:
        yield from (
            f"- **{task.key}:** {one_line(task.title)}",
            f"  - Exit: {task.proof}",
            f"  - Added by: {by}",
        )
        yield from ["  - Parallel: no"] * serial


def misread(before: Plan, after: Plan, by: str, tasks: Sequence[NewTask]) -> str:
    """The key that the amended text does not read as meant.

    Empty when only these steps came, where they belong.
    """
    added = {task.key: task for task in tasks}
    new = {placed.step.key: placed for placed in after.placed_steps()}
    kept = [placed for placed in after.placed_steps() if placed.step.key not in added]
    old = list(before.placed_steps())
    for one, other in zip_longest(old, kept):
        if one is None or other is None or _meaning(one) != _meaning(other):
            return (one or other or old[0]).step.key
    thread = new[by].place[:3]
    for key, task in added.items():
        expected = StepSpec(key, one_line(task.title), exit=(task.proof,), added_by=by)
        if key not in new or new[key].place[:3] != thread or _as_written(new[key].step) != expected:
            return key
    return ""


def _as_written(step: StepSpec) -> StepSpec:
    return replace(_plain(step), needs=tuple(need for need in step.needs if not need.inferred))


def _meaning(placed: PlacedStep) -> tuple[tuple[int, ...], StepSpec]:
    """A step and its thread; what it waits for may follow from its neighbours, and they are what changes."""
    return placed.place[:3], replace(_plain(placed.step), needs=())


def _plain(step: StepSpec) -> StepSpec:
    return replace(step, line=0, when_line=0, inferred=())


def one_line(text: str) -> str:
    return " ".join(text.split())
