"""One approved workstream of two steps in a thread, as rows; for tests of artifacts alone."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User

from orchestrator.core.terms import AttemptStatus, StageKind, VersionStatus, WorkstreamStatus
from orchestrator.models import (
    Attempt,
    Batch,
    Stage,
    Step,
    Task,
    Thread,
    Workflow,
    WorkflowVersion,
    Workstream,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def small_workstream(slug: str = "login", stage_kind: StageKind = StageKind.NORMAL) -> Workstream:
    user, _ = User.objects.get_or_create(username="ann")
    workflow = Workflow.objects.create(slug=slug, name=slug.capitalize(), created_at=NOW, created_by=user)
    version = WorkflowVersion.objects.create(
        workflow=workflow,
        number=1,
        status=VersionStatus.APPROVED,
        source=f"# Plan: {slug}\n",
        source_sha256="0" * 64,
        author=user,
        submitted_at=NOW,
    )
    workstream = Workstream.objects.create(
        slug=slug,
        title=slug.capitalize(),
        version=version,
        status=WorkstreamStatus.ACTIVE,
        owner=user,
        created_at=NOW,
        updated_at=NOW,
    )
    stage = Stage.objects.create(
        version=version, position=0, number=1, name="Build", slug="stage-1-build", kind=stage_kind
    )
    batch = Batch.objects.create(stage=stage, position=0, prefix="01", name="Setup", slug="01-setup")
    thread = Thread.objects.create(batch=batch, position=0, lane="A", name="Auth", slug="a-auth")
    for position, key in enumerate(["A1", "A2"]):
        step = Step.objects.create(version=version, thread=thread, position=position, key=key, title=f"Step {key}")
        Task.objects.create(workstream=workstream, step=step, created_at=NOW, updated_at=NOW)
    return workstream


def attempt_at(workstream: Workstream, key: str, number: int = 1) -> Attempt:
    """An attempt that has completed; how it got there is not what these tests are about."""
    task = Task.objects.get(workstream=workstream, step__key=key)
    return Attempt.objects.create(
        task=task,
        number=number,
        status=AttemptStatus.COMPLETED,
        queued_at=NOW,
        ended_at=NOW + timedelta(minutes=number),
    )
