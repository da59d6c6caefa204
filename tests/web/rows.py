"""Workstreams as bare rows, in any state and age, for pages that only read."""

from datetime import datetime, timedelta
from itertools import count

from django.contrib.auth.models import User

from orchestrator.core.terms import VersionStatus, WorkstreamStatus
from orchestrator.models import Workflow, WorkflowVersion, Workstream

_numbers = count(1)


def workstream(
    owner: User,
    now: datetime,
    *,
    title: str = "",
    status: WorkstreamStatus = WorkstreamStatus.ACTIVE,
    domain: str = "payments",
    tasks: tuple[int, int, int] = (1, 0, 0),
    created: timedelta = timedelta(0),
    updated: timedelta = timedelta(0),
) -> Workstream:
    """`tasks` are open, done and blocked ones; `created` and `updated` say how long before `now`."""
    number = next(_numbers)
    workflow = Workflow.objects.create(
        slug=f"flow-{number}", name=f"Flow {number}", created_at=now, created_by=owner
    )
    version = WorkflowVersion.objects.create(
        workflow=workflow,
        number=1,
        status=VersionStatus.APPROVED,
        source="# Plan",
        source_sha256="0" * 64,
        author=owner,
        submitted_at=now - created,
    )
    return Workstream.objects.create(
        slug=f"ws-{number}",
        title=title or f"Workstream {number}",
        version=version,
        status=status,
        domain=domain,
        owner=owner,
        flow_since=now - created,
        created_at=now - created,
        updated_at=now - updated,
        accepted_at=now if status == WorkstreamStatus.COMPLETED else None,
        open_tasks=tasks[0],
        done_tasks=tasks[1],
        blocked_tasks=tasks[2],
    )
