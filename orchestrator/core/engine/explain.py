"""The sentences users read: why a task stands where it stands (FR-015). Only the scheduler asks for them."""

from collections.abc import Mapping
from typing import Final

from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import AttemptStatus, GateKind, TaskStatus

SHORT = 160
#: What each kind of gate is for, in the words of its page.
GATE_MEANINGS: Final[Mapping[GateKind, str]] = {
    GateKind.MERGE: "Lanes come together: what was done apart is checked as one before anything "
    "builds on it.",
    GateKind.REVIEW: "Somebody who did not do the work looks at it.",
    GateKind.EVALUATION: "The stage is judged as a whole: good enough to go on, or a fix stage is added.",
    GateKind.RELEASE: "The result is given out: whoever signs answers for it.",
}


def standing(task: TaskView) -> str:
    """What a task says of itself, with what it asks, or why it failed or cannot go on."""
    running = task.live is AttemptStatus.RUNNING
    detail = task.note or (task.failure if not task.live else "") or (task.blocker if not running else "")
    said = as_holder(task)
    return f"{said}: {_short(detail)}" if detail and task.open else said


def as_holder(task: TaskView) -> str:
    """What others say of a task they wait for: `A2: running on builder-1`."""
    if not task.open:
        return _ended(task)
    if task.note:
        return "waits for a person"
    if task.live is AttemptStatus.RUNNING:
        return f"running on {task.executor}"
    if task.live and task.blocker:
        return "blocked"
    if task.live and task.gate:
        return task.sign_off.sentence
    if task.live and task.assigned:
        return f"ready, waits for {task.assigned}, to which its thread is assigned"
    if task.live:
        return "ready, waits for an executor to claim it"
    if task.failure:
        return "failed, waits for a person to re-queue it"
    return "blocked" if task.blocker else "not started"


def _ended(task: TaskView) -> str:
    if task.artifact:
        return f"complete, but {task.artifact}"
    other = {
        TaskStatus.SKIPPED: task.skipped or "skipped: its condition is false",
        TaskStatus.CANCELLED: "cancelled",
    }
    return other.get(task.status, "complete")


def skips(condition: str, because: str, _task: TaskView) -> str:
    return f"skipped: its condition “{condition}” is false, because {because}"


def undecided(condition: str, because: str, _task: TaskView) -> str:
    return f"waits until its condition “{condition}” is decided: {because}"


def launched(gate: bool) -> str:
    return "waits for sign-off" if gate else "launched, waits for an executor to claim it"


def to_be_launched(gate: bool) -> str:
    """What a task says that the next round will launch: nobody can claim or sign it yet."""
    return f"waits for the next round, which {'puts it up for sign-off' if gate else 'launches it'}"


def waits_for(other: TaskView) -> str:
    return f"waits for {other.key}: {as_holder(other)}"


def waits_for_batch(first: TaskView) -> str:
    """A batch waits for all of the batch before it; its first open task is named."""
    if first.gate:
        return f"waits for gate {first.key}: {as_holder(first)}"
    return f"waits for the batch before it, {first.key}: {as_holder(first)}"


def artifact(other: TaskView) -> str:
    return f"waits for the handoff artifact of {other.key}: {other.artifact}"


def held(task: TaskView, other: TaskView) -> str:
    """A launched task whose ground was lost: `running on builder-1, held: …`."""
    said = held_by(other.key, other.artifact)
    return f"{as_holder(task)}, {said}" if task.live is AttemptStatus.RUNNING else said


def held_by(key: str, problem: str) -> str:
    return f"held: the handoff artifact of {key} cannot be used: {problem}"


def blocked(task: TaskView) -> str:
    return f"blocked: {_short(task.blocker)}"


def contends(wanted: str, holder: TaskView) -> str:
    return f"waits for {wanted}, held by {holder.key}: {as_holder(holder)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"
