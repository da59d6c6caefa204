"""What a task's next executor starts from after an interruption or hand-over (AS-8, WF-9): the brief, what
happened so far, what has been handed over already, and what is still to be proved."""

from collections.abc import Sequence

from django.db.models import Q

from orchestrator.contract.artifacts import OutputFacts
from orchestrator.contract.briefs import Continuation
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import ArtifactState, AttemptStatus, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import Executor, OutputFile, Task
from orchestrator.queries.base.order import launch_order, rank
from orchestrator.queries.base.roles import may_do, roles_of, suiting
from orchestrator.queries.engine.threads import kept_for_others
from orchestrator.queries.work.breadcrumbs import breadcrumbs_of
from orchestrator.queries.work.briefs import whole_brief
from orchestrator.queries.work.rework import returned, to_prove
from orchestrator.queries.work.work import HELD


def continuation(task_id: int) -> Continuation:
    """NotFound when there is no such task."""
    task = Task.objects.select_related("step", "workstream").filter(pk=task_id).first()
    if task is None:
        raise NotFound("There is no such task.")
    return Continuation(
        brief=whole_brief(task_id),
        breadcrumbs=tuple(breadcrumbs_of(task)),
        returned=returned(task),
        own_outputs=_own_outputs(task),
        to_prove=to_prove([task]),
    )


def to_continue(executor: Executor) -> Sequence[Task]:
    """What this executor holds; after it, in launch order, what others began and this one may claim now."""
    held = Task.objects.filter(
        attempts__assignment__executor=executor, attempts__assignment__released_at=None
    )
    left = Task.objects.filter(
        may_do(roles_of(executor.user)),
        suiting(executor.kind),
        Q(attempts__number__gt=1) | ~Q(breadcrumb=""),
        workstream__status=WorkstreamStatus.ACTIVE,
        status=TaskStatus.PENDING,
        needs_human=False,
        step__kind=StepKind.WORK,
        attempts__status=AttemptStatus.QUEUED,
    ).exclude(kept_for_others(Q(executor=executor)) | HELD)
    rows = [
        *held.select_related("step", "workstream"),
        *left.select_related("step", "workstream").order_by(*rank(), *launch_order()),
    ]
    return list({row.pk: row for row in rows}.values())


def _own_outputs(task: Task) -> tuple[OutputFacts, ...]:
    rows = OutputFile.objects.filter(artifact__attempt__task=task).exclude(
        artifact__state=ArtifactState.QUARANTINED
    )
    newest = {row.path: row for row in rows.defer("content").order_by("artifact__sequence")}
    return tuple(OutputFacts(row.pk, row.path, row.sha256) for _, row in sorted(newest.items()))
