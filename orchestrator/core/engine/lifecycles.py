"""What an open task's status is; the diagrams in orchestrator/README.md show every transition (WF-8).

Attempts, versions and workstreams need no rule of their own here: each of their transitions belongs to one
act, and the service of that act names the states it starts from.
"""

from orchestrator.core.terms import AttemptStatus, TaskStatus


def resting_status(*, gate: bool, live: AttemptStatus | None, failed: bool, blocked: bool) -> TaskStatus:
    """The status of an open task from what is true of it; the one place that says so."""
    if blocked or failed:
        return TaskStatus.BLOCKED
    if live is AttemptStatus.RUNNING:
        return TaskStatus.ACTIVE
    if live is not None and gate:
        return TaskStatus.REVIEW
    return TaskStatus.PENDING
