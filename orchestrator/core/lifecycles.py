"""Which states follow which, as data; the diagrams in orchestrator/README.md show the same (WF-8, FR-027)."""

from typing import Final

from orchestrator.core.terms import AttemptStatus, TaskStatus, VersionStatus, WorkstreamStatus

ATTEMPT: Final = {
    AttemptStatus.QUEUED: {
        AttemptStatus.RUNNING,
        AttemptStatus.COMPLETED,
        AttemptStatus.REJECTED,
        AttemptStatus.CANCELLED,
    },
    AttemptStatus.RUNNING: {AttemptStatus.COMPLETED, AttemptStatus.FAILED, AttemptStatus.CANCELLED},
    AttemptStatus.COMPLETED: set(),
    AttemptStatus.FAILED: set(),
    AttemptStatus.REJECTED: set(),
    AttemptStatus.CANCELLED: set(),
}

VERSION: Final = {
    VersionStatus.IN_REVIEW: {VersionStatus.APPROVED, VersionStatus.SENT_BACK, VersionStatus.SUPERSEDED},
    VersionStatus.SENT_BACK: {VersionStatus.SUPERSEDED},
    VersionStatus.APPROVED: {VersionStatus.SUPERSEDED, VersionStatus.WITHDRAWN},
    VersionStatus.SUPERSEDED: set(),
    VersionStatus.WITHDRAWN: set(),
}

WORKSTREAM: Final = {
    WorkstreamStatus.PLANNING: {WorkstreamStatus.ACTIVE, WorkstreamStatus.ARCHIVED},
    WorkstreamStatus.ACTIVE: {WorkstreamStatus.COMPLETED, WorkstreamStatus.ARCHIVED},
    WorkstreamStatus.COMPLETED: {WorkstreamStatus.ACTIVE, WorkstreamStatus.ARCHIVED},
    WorkstreamStatus.ARCHIVED: set(),
}


def resting_status(*, gate: bool, live: AttemptStatus | None, failed: bool, blocked: bool) -> TaskStatus:
    """The status of an open task from what is true of it; the one place that says so."""
    if blocked or failed:
        return TaskStatus.BLOCKED
    if live is AttemptStatus.RUNNING:
        return TaskStatus.ACTIVE
    if live is not None and gate:
        return TaskStatus.REVIEW
    return TaskStatus.PENDING
