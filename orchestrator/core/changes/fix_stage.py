"""A stage that is appended to a plan: how people write it, how it stands in the text, what it is prefilled
with (WF-5).

People write it in the plan's own form: headings `Batch` and `Thread`, below them one task a line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from orchestrator.core.changes.amend import KEY_PREFIX, NewTask, new_tasks, one_line
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.plan import Plan, StageSpec, slugify

_HEADING: Final = re.compile(r"\s*#{1,6}\s*(batch|thread)\b[\s\d]*[:.–—-]?\s*(.*)", re.IGNORECASE)
#: Where nothing else is said.
_NAME: Final = "fixes"
_NAME_WORDS: Final = 7
_LONGEST_NAME: Final = 48
_LONGEST_TITLE: Final = 160


@dataclass(frozen=True, slots=True)
class NewThread:
    name: str
    tasks: tuple[NewTask, ...]


@dataclass(frozen=True, slots=True)
class NewBatch:
    name: str
    threads: tuple[NewThread, ...]


@dataclass(frozen=True, slots=True)
class NewStage:
    """`after` is the position of the stage it stands behind, None for the plan's end.

    `gate` adds an evaluation.
    """

    name: str
    batches: tuple[NewBatch, ...]
    after: int | None = None
    gate: bool = False


@dataclass(frozen=True, slots=True)
class FixProblem:
    """What went wrong at a step: `kind` in a word, `text` in people's words.

    `criteria` is what it has to prove.
    """

    key: str
    title: str
    kind: str
    text: str
    criteria: tuple[str, ...] = ()


def read_batches(text: str) -> tuple[NewBatch, ...]:
    """Batches of threads of tasks (`title | exit criterion`); tasks above any heading get a batch and a
    thread.

    InvalidInput names the line of a batch or thread that has no task. Without any task the answer is empty.
    """
    batches: list[tuple[int, str, list[tuple[int, str, list[str]]]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        heading = _HEADING.match(line)
        name = one_line(heading[2]) or _NAME if heading else ""
        if heading and heading[1].lower() == "batch":
            batches.append((number, name, []))
        elif heading or line.strip():
            threads = (batches or _begun(batches))[-1][2]
            if heading or not threads:
                threads.append((number, name or batches[-1][1], []))
            threads[-1][2].extend([] if heading else [line])
    return tuple(NewBatch(name, _threads(number, name, threads)) for number, name, threads in batches)


def _begun(
    batches: list[tuple[int, str, list[tuple[int, str, list[str]]]]],
) -> list[tuple[int, str, list[tuple[int, str, list[str]]]]]:
    batches.append((0, _NAME, []))
    return batches


def _threads(number: int, name: str, threads: Sequence[tuple[int, str, list[str]]]) -> tuple[NewThread, ...]:
    found = [(at, NewThread(called, new_tasks("\n".join(lines)))) for at, called, lines in threads]
    empty = next((("thread", at, one.name) for at, one in found if not one.tasks), None)
    if not found or empty:
        kind, at, called = empty or ("batch", number, name)
        raise InvalidInput(
            f"Line {at}: the {kind} “{called}” has no task.",
            recovery="Write its tasks below it, one a line, or take the heading away.",
            field="tasks",
        )
    return tuple(one for _, one in found)


def with_stage(source: str, plan: Plan, new: NewStage) -> str:
    """The source with the new stage in it, numbered after every stage that is there."""
    lines = source.rstrip("\n").split("\n")
    following = (
        plan.stages[new.after + 1].line if new.after is not None and new.after + 1 < len(plan.stages) else 0
    )
    at = following - 1 if following else len(lines)
    return "\n".join([*lines[:at], *_stage_lines(plan, new), "", *lines[at:]]).rstrip("\n") + "\n"


def stage_number(plan: Plan) -> int:
    """The number that a new stage gets."""
    return max((stage.number for stage in plan.stages), default=0) + 1


def _stage_lines(plan: Plan, new: NewStage) -> Iterator[str]:
    number, keys = stage_number(plan), _free_keys(plan)
    last: list[str] = []
    yield from ("", f"### Stage {number}: {one_line(new.name)}", "", "- Kind: fix", "")
    for position, batch in enumerate(new.batches, 1):
        yield from (f"##### Batch {position:02}: {batch.name}", "")
        last = []
        for lane, thread in enumerate(batch.threads, 1):
            yield from (
                f"###### Thread {lane:02}: {thread.name}",
                "",
                "- Role: contributor",
                "",
                "**Tasks:**",
                "",
            )
            for task in thread.tasks:
                last.append(next(keys))
                yield from (f"- {last[-1]}: {one_line(task.title)}", f"  - Exit: {task.proof}")
            yield ""
    if new.gate:
        yield from _gate_lines(plan, number, last)


def _gate_lines(plan: Plan, number: int, last: Sequence[str]) -> Iterator[str]:
    """All of it is said, so that the product's own text raises no remark: its key, what it waits for."""
    taken = {step.key for step in plan.steps()}
    name = f"G-stage-{number}-evaluation"
    key = next(key for n in count(1) if (key := name if n == 1 else f"{name}-{n}") not in taken)
    yield from (f"##### Gate {key}: Stage {number} evaluation", "", "- Kind: evaluation")
    yield from ("- Reviewers: reviewer", f"- Trigger: {' + '.join(last)} complete")


def _free_keys(plan: Plan) -> Iterator[str]:
    taken = {step.key for step in plan.steps()}
    return (key for n in count(1) if (key := f"{KEY_PREFIX}{n}") not in taken)


def is_appended(before: Plan, after: Plan, new: NewStage) -> bool:
    """Whether the amended text reads as the plan with this one stage in it, and nothing else changed."""
    at = len(before.stages) if new.after is None else new.after + 1
    kept = [*after.stages[:at], *after.stages[at + 1 :]]
    if len(kept) != len(before.stages) or list(map(_meaning, kept)) != list(map(_meaning, before.stages)):
        return False
    read = after.stages[at].batches[: len(new.batches)]
    asked: list[tuple[str, str, int]] = []
    for asked_batch in new.batches:
        asked += [(asked_batch.name, lane.name, len(lane.tasks)) for lane in asked_batch.threads]
    there: list[tuple[str, str, int]] = []
    for batch in read:
        there += [(batch.name, thread.name, len(thread.steps)) for thread in batch.threads]
    return len(read) == len(new.batches) and there == asked


def _meaning(stage: StageSpec) -> StageSpec:
    """What steps wait for may follow from the stage before them, and that one is new."""
    plan = Plan("", stages=(stage,)).with_steps(lambda step: replace(step, needs=()))
    return plan.stages[0]


def name_from(problems: Sequence[FixProblem], otherwise: str) -> str:
    """A short name that says what is fixed: the first words of the first problem, behind “fix”."""
    words = slugify(problems[0].text if problems else otherwise).split("-")[:_NAME_WORDS]
    name = "fix"
    for word in words:
        if len(name) + len(word) > _LONGEST_NAME:
            break
        name = f"{name} {word}"
    return name


def tasks_from(problems: Sequence[FixProblem], gate: str) -> str:
    """Text that can be submitted as it is.

    A thread for each step that failed, then a batch that verifies them all.
    """
    if not problems:
        return _block(
            "Batch 01: fixes", "Thread 01: fixes", [f"Fix what {gate} found | {gate} finds nothing more"]
        )
    by_key: dict[str, list[FixProblem]] = {}
    for problem in problems:
        by_key.setdefault(problem.key, []).append(problem)
    text, checks = "##### Batch 01: fixes\n", []
    for lane, (key, found) in enumerate(by_key.items(), 1):
        proof = f" | {_plain(found[0].criteria[0])}" if found[0].criteria else ""
        text += f"\n###### Thread {lane:02}: {_plain(key)}\n"
        text += "".join(f"- Fix {_plain(key)}: {_plain(problem.text)}{proof}\n" for problem in found)
        proofs = found[0].criteria or (f"{key} is shown to work",)
        checks += [f"Verify {_plain(key)} again: {_plain(one)} | {_plain(one)}" for one in proofs]
    return f"{text}\n{_block('Batch 02: verification', 'Thread 01: verification', checks)}"


def _block(batch: str, thread: str, tasks: Sequence[str]) -> str:
    return f"##### {batch}\n\n###### {thread}\n" + "".join(f"- {task}\n" for task in tasks)


def _plain(text: str) -> str:
    """Words of people inside a task's title: nothing in them is read as structure."""
    plain = " ".join(re.sub(r"[|()`*#<>{}\[\]\\]+", " ", text).split())
    return plain if len(plain) <= _LONGEST_TITLE else plain[: _LONGEST_TITLE - 1].rstrip() + "…"
