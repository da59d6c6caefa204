"""Versions that are approved and not yet in effect (FR-016)."""

from datetime import datetime

from django.db.models import F, QuerySet

from orchestrator.core.terms import VersionStatus, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.prepared import Prepared


def due_version(workstream_id: int, now: datetime) -> WorkflowVersion | None:
    """The newest version whose time has come for a workstream in flight that was not migrated to it yet."""
    promised = _all_promised(workstream_id)
    return next((one for one in promised if one.effective_at and one.effective_at <= now), None)


def promised_version(workstream: Workstream) -> WorkflowVersion | None:
    """The newest version that is approved for a later time, or whose migration still waits."""
    return _promised(workstream.pk).first()


@Prepared
def _all_promised(workstream: int) -> QuerySet[WorkflowVersion]:
    return _promised(workstream)


def _promised(workstream_id: int) -> QuerySet[WorkflowVersion]:
    versions = WorkflowVersion.objects.filter(
        workstream=workstream_id,
        workstream__status=WorkstreamStatus.ACTIVE,
        status=VersionStatus.APPROVED,
        number__gt=F("workstream__version__number"),
        stages=None,
    )
    return versions.select_related("workflow").order_by("-number")
