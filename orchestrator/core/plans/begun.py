"""What a version still does when its work has begun or is over: no forecast, the truth (WF-3, LC-3)."""

from orchestrator.core.terms import WorkstreamStatus

_CLOSED = frozenset({WorkstreamStatus.COMPLETED, WorkstreamStatus.ARCHIVED})


def begun_sentence(
    title: str, status: WorkstreamStatus, *, done_tasks: int, open_tasks: int, in_force: bool
) -> str:
    """Returns how far the work is that a version is about; empty while approving it would begin or change it.

    `in_force` says that the workstream goes by this version. Tasks are counted as everywhere: gates too.
    """
    total = done_tasks + open_tasks
    if open_tasks:
        share = f"{done_tasks} of {total} tasks are done"
    else:
        share = f"all of its {total} tasks are done" if total > 1 else "its only task is done"
    if status in _CLOSED:
        return f"Nothing starts: {title} is {status.value}, and {share}."
    return f"It is in force: {share}." if in_force and total else ""
