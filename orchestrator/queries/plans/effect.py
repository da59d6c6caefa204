"""Versions that are approved and not yet in effect (FR-016)."""

from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import F, OuterRef, Q, QuerySet

from orchestrator.core.terms import AttemptStatus, VersionStatus, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.base.sql import Joined, moment


def due_version(workstream_id: int, now: datetime) -> WorkflowVersion | None:
    """The newest version whose time has come for a workstream that does not follow it yet."""
    promised = _all_promised(workstream_id) if promises(workstream_id).version else []
    return next(
        (version for version in promised if version.effective_at and version.effective_at <= now), None
    )


def undecided_version(workstream: Workstream) -> WorkflowVersion | None:
    """The version that was submitted for a workstream and still waits for a decision.

    The newest, if several do.
    """
    waiting = workstream.submitted_versions.filter(status=VersionStatus.IN_REVIEW)
    return waiting.select_related("workflow").order_by("-number").first()


def promised_version(workstream: Workstream) -> WorkflowVersion | None:
    """The newest version that is approved for a later time, or whose migration still waits."""
    return _promised(workstream.pk).first()


def promised_to_each() -> QuerySet[WorkflowVersion]:
    """The same for each active workstream of a query that this one stands in."""
    newer = WorkflowVersion.objects.filter(workstream=OuterRef("pk"), number__gt=OuterRef("version__number"))
    return newer.filter(status=VersionStatus.APPROVED, stages=None).order_by("-number")


def _all_promised(workstream: int) -> list[WorkflowVersion]:
    return list(_promised(workstream))


def in_effect(version: WorkflowVersion) -> bool:
    """Whether the version has been put into effect: its steps exist then, and its approval is final."""
    return version.stages.exists()


class Promises(NamedTuple):
    """What is decided about a workstream and not in effect yet, whether it ever will be or not: an approved
    `version`, the last `signature` of a gate."""

    version: bool
    signature: bool


def promises(workstream_id: int) -> Promises:
    found = _PROMISES.rows(workstream_id)
    return Promises(found[0]["version"], found[0]["signature"]) if found else Promises(False, False)


_PROMISES = Joined(
    {},
    "orchestrator_workstream workstream WHERE workstream.id = %s",
    {
        "version": f"""EXISTS (SELECT 1 FROM orchestrator_workflowversion version
WHERE version.workstream_id = workstream.id AND version.status = '{VersionStatus.APPROVED.value}'
  AND NOT EXISTS (SELECT 1 FROM orchestrator_stage stage WHERE stage.version_id = version.id))""",
        "signature": f"""EXISTS (SELECT 1 FROM orchestrator_gatereview review
JOIN orchestrator_attempt attempt ON attempt.id = review.attempt_id
JOIN orchestrator_task task ON task.id = attempt.task_id
WHERE task.workstream_id = workstream.id AND attempt.status = '{AttemptStatus.QUEUED.value}'
  AND review.effective_at IS NOT NULL AND review.withdrawn_at IS NULL)""",
    },
)


def became_due(since: datetime, until: datetime) -> list[int]:
    """Workstreams for which the time of a version, or of a gate's last signature, came between both, which
    are in UTC. It is asked twice a second for ever, so its statement is made once."""
    times = [moment(since), moment(until)]
    return [found["workstream"] for found in _BECAME_DUE.rows(*times, *times)]


_BECAME_DUE: Final = Joined(
    {},
    f"""(SELECT version.workstream_id FROM orchestrator_workflowversion version
  WHERE version.status = '{VersionStatus.APPROVED.value}'
  AND version.effective_at > %s AND version.effective_at <= %s AND version.workstream_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM orchestrator_stage stage WHERE stage.version_id = version.id)
UNION SELECT task.workstream_id FROM orchestrator_gatereview review
  JOIN orchestrator_attempt attempt ON attempt.id = review.attempt_id
  JOIN orchestrator_task task ON task.id = attempt.task_id
  WHERE review.effective_at > %s AND review.effective_at <= %s AND review.withdrawn_at IS NULL
  AND attempt.status = '{AttemptStatus.QUEUED.value}') due ORDER BY due.workstream_id""",
    {"workstream": "due.workstream_id"},
)


def _promised(workstream_id: int) -> QuerySet[WorkflowVersion]:
    newer = Q(workstream__status=WorkstreamStatus.ACTIVE, number__gt=F("workstream__version__number"))
    first = Q(workstream__status=WorkstreamStatus.PLANNING, pk=F("workstream__version"))
    versions = WorkflowVersion.objects.filter(
        newer | first, workstream=workstream_id, status=VersionStatus.APPROVED, stages=None
    )
    return versions.select_related("workflow").order_by("-number")
