"""The sentences users read: why a task stands where it stands (FR-015). Only the scheduler asks for them."""

from typing import TYPE_CHECKING

from orchestrator.core.terms import AttemptStatus, TaskStatus

if TYPE_CHECKING:
    from orchestrator.core.schedule import TaskView

SHORT = 160


def standing(task: "TaskView") -> str:
    """What a task is doing itself, as said of a holder: `A2: running on builder-1`."""
    if not task.open and task.artifact:
        return f"complete, but {task.artifact}"
    if not task.open:
        return {TaskStatus.SKIPPED: "skipped: its condition is false", TaskStatus.CANCELLED: "cancelled"}.get(
            task.status, "complete"
        )
    if task.note:
        return f"waits for a person: {_short(task.note)}"
    if task.live is AttemptStatus.RUNNING:
        return f"running on {task.executor}"
    if task.live and task.gate:
        return "waits for sign-off" + (f" by {' or '.join(task.reviewers)}" if task.reviewers else "")
    if task.live:
        return "ready, waits for an executor to claim it"
    if task.failure:
        return f"failed, waits for a person to re-queue it: {_short(task.failure)}"
    if task.blocker:
        return f"blocked: {_short(task.blocker)}"
    return "not started"


def launched(gate: bool) -> str:
    return "waits for sign-off" if gate else "launched, waits for an executor to claim it"


def waits_for(other: "TaskView") -> str:
    return f"waits for {other.key}: {standing(other)}"


def waits_for_batch(first: "TaskView") -> str:
    """A batch waits for all of the batch before it; its first open task is named."""
    if first.gate:
        return f"waits for gate {first.key}: {standing(first)}"
    return f"waits for the batch before it, {first.key}: {standing(first)}"


def artifact(other: "TaskView") -> str:
    return f"waits for the handoff artifact of {other.key}: {other.artifact}"


def blocked(task: "TaskView") -> str:
    return f"blocked: {_short(task.blocker)}"


def contends(wanted: str, holder: "TaskView") -> str:
    return f"waits for {wanted}, held by {holder.key}: {standing(holder)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"
