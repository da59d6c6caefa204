"""What machines read of tasks: filtered lists in launch order (LC-6), and one task's facts.

The dataclasses of this module and its neighbours are the JSON that REST and MCP answer with.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from orchestrator.contract.tasks import Explanation, LiveAttempt, TaskFacts, TaskList
from orchestrator.core.engine.schedule import Verdict
from orchestrator.core.errors import NotFound
from orchestrator.core.plans.lanes import lane_worktree
from orchestrator.core.strict_json import LARGEST
from orchestrator.core.terms import AttemptStatus, Role, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import (
    Assignment,
    Attempt,
    Batch,
    Executor,
    RecordedVerdict,
    Stage,
    Step,
    Task,
    Thread,
    Verification,
    Workflow,
    WorkflowVersion,
    WorkPlace,
    Workstream,
)
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.asked import refuse_no_workstream
from orchestrator.queries.base.order import launch_order, rank
from orchestrator.queries.base.roles import may_do, suiting
from orchestrator.queries.base.sql import Found, Joined, Table, link
from orchestrator.queries.engine.explanations import explain
from orchestrator.queries.engine.threads import kept_for_others
from orchestrator.queries.work.work import HELD

#: Across workstreams by rank, inside one in launch order (design section 3).
LAUNCH_ORDER = (*rank(), *launch_order())


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """`claimable` keeps tasks whose attempt is queued and that `claimer` may claim now; None means "do not
    care".

    Threads that are kept for an executor are left out for every other one, and for a claimer of None; so are
    steps that are for another kind of executor and, with `roles`, steps that ask for another role.
    """

    needs_human: bool | None = None
    status: TaskStatus | None = None
    workstream: UUID | None = None
    repository: str = ""
    claimable: bool = False
    claimer: Executor | None = None
    roles: frozenset[Role] | None = None


def list_tasks(wanted: TaskFilter, *, limit: int = 100, offset: int = 0) -> TaskList:
    """InvalidInput for a workstream that there is none of."""
    if wanted.workstream is not None:
        refuse_no_workstream(wanted.workstream)
    found = _matching(wanted)
    page = list(with_live_attempts(found).order_by(*LAUNCH_ORDER)[offset : offset + limit])
    verdicts: dict[int, Verdict] = {}
    for workstream in {task.workstream_id: task.workstream for task in page}.values():
        verdicts |= explain(workstream)
    return TaskList(found.count(), tuple(task_facts(task, verdicts.get(task.pk)) for task in page))


def find_task(task_id: int) -> TaskFacts:
    task = with_live_attempts(Task.objects.filter(pk=task_id)).first()
    if task is None:
        raise NotFound("There is no such task.")
    return task_facts(task)


def _matching(wanted: TaskFilter) -> QuerySet[Task]:
    tasks = Task.objects.all()
    if wanted.needs_human is not None:
        tasks = tasks.filter(needs_human=wanted.needs_human)
    if wanted.status is not None:
        tasks = tasks.filter(status=wanted.status)
    if wanted.workstream is not None:
        tasks = tasks.filter(workstream__uuid=wanted.workstream)
    if wanted.repository:
        tasks = tasks.filter(workstream__version__repository=wanted.repository)
    if wanted.claimable:
        tasks = (
            tasks.filter(
                attempts__status=AttemptStatus.QUEUED,
                status=TaskStatus.PENDING,
                step__kind=StepKind.WORK,
                needs_human=False,
                workstream__status=WorkstreamStatus.ACTIVE,
            )
            .exclude(kept_for_others(Q(executor=wanted.claimer)))
            .exclude(HELD)
            .filter(suiting(wanted.claimer.kind if wanted.claimer else ""))
        )
        if wanted.roles is not None:
            tasks = tasks.filter(may_do(wanted.roles))
    return tasks


def with_live_attempts(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """The rows that `task_facts` reads, in two queries."""
    live = Attempt.objects.filter(status__in=LIVE).select_related(
        "assignment__executor", "verification", "place"
    )
    live = live.defer("verification__outputs")
    return tasks.select_related("step", "workstream").prefetch_related(
        Prefetch("attempts", queryset=live, to_attr="live")
    )


def whole_task(task_id: int) -> Task:
    """A task as a brief tells it, with its live attempts, its place in the plan and its plan: two
    statements. NotFound when there is none."""
    found = _WHOLE.first(task_id) if task_id <= LARGEST else None
    if found is None:
        raise NotFound("There is no such task.")
    task: Task = found["task"]
    for row, name in _KNOWN:
        link(found[row], name, found[name])
    task.live = [_linked(task, row) for row in _LIVE.rows(task_id)]  # type: ignore[attr-defined]
    return task


def _linked(task: Task, found: Found) -> Attempt:
    attempt: Attempt = found["attempt"]
    link(attempt, "task", task)
    for name in ("assignment", "verification", "place"):
        link(attempt, name, found[name])
    for name in ("assignment", "place"):
        if found[name] is not None:
            link(found[name], "attempt", attempt)
    if found["assignment"] is not None:
        link(found["assignment"], "executor", found["executor"])
    return attempt


def task_facts(task: Task, verdict: Verdict | None = None) -> TaskFacts:
    """Facts of a task that came through `with_live_attempts`."""
    attempt = next(iter(task.live), None)  # type: ignore[attr-defined]
    return TaskFacts(
        id=task.pk,
        key=task.step.key,
        title=task.step.title,
        kind=StepKind(task.step.kind),
        status=TaskStatus(task.status),
        workstream=task.workstream.uuid,
        workstream_slug=task.workstream.slug,
        needs_human=task.needs_human,
        intervention_note=task.intervention_note,
        breadcrumb=task.breadcrumb,
        rework=task.rework,
        proof=task.proof_shown,
        attempt=_live_attempt(attempt) if attempt else None,
        updated_at=task.updated_at,
        explanation=Explanation(verdict.reason.value, verdict.holder, verdict.sentence) if verdict else None,
    )


def _live_attempt(attempt: Attempt) -> LiveAttempt:
    assignment = getattr(attempt, "assignment", None)
    place: WorkPlace | None = getattr(attempt, "place", None)
    return LiveAttempt(
        id=attempt.pk,
        number=attempt.number,
        status=AttemptStatus(attempt.status),
        executor=assignment.executor.name if assignment else "",
        claimed_as=assignment.claimed_as if assignment else "",
        worktree=lane_worktree(place.folder) if place else "",
        branch=place.branch if place else "",
        base=place.base if place else "",
    )


_WITHOUT_OUTPUTS = tuple(
    field.attname for field in Verification._meta.concrete_fields if field.attname != "outputs"
)
#: Which row knows which other one, by the name of its column.
_KNOWN = (
    *(("task", name) for name in ("step", "workstream", "verdict")),
    ("step", "thread"),
    ("thread", "batch"),
    ("batch", "stage"),
    ("workstream", "version"),
    ("version", "workflow"),
)
_WHOLE = Joined(
    {
        "task": Table(Task),
        "step": Table(Step),
        "thread": Table(Thread),
        "batch": Table(Batch),
        "stage": Table(Stage),
        "workstream": Table(Workstream),
        "version": Table(WorkflowVersion),
        "workflow": Table(Workflow),
        "verdict": Table(RecordedVerdict),
    },
    """orchestrator_task task
JOIN orchestrator_step step ON step.id = task.step_id
JOIN orchestrator_thread thread ON thread.id = step.thread_id
JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
JOIN orchestrator_workstream workstream ON workstream.id = task.workstream_id
JOIN orchestrator_workflowversion version ON version.id = workstream.version_id
JOIN orchestrator_workflow workflow ON workflow.id = version.workflow_id
LEFT JOIN orchestrator_recordedverdict verdict ON verdict.id = task.verdict_id
WHERE task.id = %s""",
)
_LIVE = Joined(
    {
        "attempt": Table(Attempt),
        "assignment": Table(Assignment),
        "executor": Table(Executor),
        "verification": Table(Verification, _WITHOUT_OUTPUTS),
        "place": Table(WorkPlace),
    },
    f"""orchestrator_attempt attempt
LEFT JOIN orchestrator_assignment assignment ON assignment.attempt_id = attempt.id
LEFT JOIN orchestrator_executor executor ON executor.id = assignment.executor_id
LEFT JOIN orchestrator_verification verification ON verification.id = attempt.verification_id
LEFT JOIN orchestrator_workplace place ON place.attempt_id = attempt.id
WHERE attempt.task_id = %s AND attempt.status IN ({", ".join(f"'{one}'" for one in sorted(LIVE))})""",
)
