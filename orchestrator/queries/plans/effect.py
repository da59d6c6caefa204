"""Versions that are approved and not yet in effect (FR-016)."""

from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet

from orchestrator.core.terms import VersionStatus, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.base.sql import Joined


def due_version(workstream_id: int, now: datetime) -> WorkflowVersion | None:
    """The newest version whose time has come for a workstream that does not follow it yet."""
    promised = _all_promised(workstream_id) if _APPROVED.first(workstream_id) else []
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


#: Approved versions of a workstream that are not in effect, whether they ever will be or not.
_APPROVED = Joined(
    {},
    f"""orchestrator_workflowversion version
WHERE version.workstream_id = %s AND version.status = '{VersionStatus.APPROVED.value}'
  AND NOT EXISTS (SELECT 1 FROM orchestrator_stage stage WHERE stage.version_id = version.id)""",
    {"id": "version.id"},
)


def became_due(since: datetime, until: datetime) -> list[int]:
    """Workstreams for which a version's time came between both."""
    due = WorkflowVersion.objects.filter(
        status=VersionStatus.APPROVED, effective_at__gt=since, effective_at__lte=until
    )
    waiting = due.filter(stages=None, workstream__isnull=False)
    return list(waiting.order_by("workstream").values_list("workstream", flat=True).distinct())


def _promised(workstream_id: int) -> QuerySet[WorkflowVersion]:
    newer = Q(workstream__status=WorkstreamStatus.ACTIVE, number__gt=F("workstream__version__number"))
    first = Q(workstream__status=WorkstreamStatus.PLANNING, pk=F("workstream__version"))
    versions = WorkflowVersion.objects.filter(
        newer | first, workstream=workstream_id, status=VersionStatus.APPROVED, stages=None
    )
    return versions.select_related("workflow").order_by("-number")
