"""What the task pages show: rows with their explanation, and one task with everything that happened to it.

Requirements: FR-015.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils.functional import cached_property

from orchestrator.contract.briefs import BreadcrumbFacts
from orchestrator.core.engine.proof import kinds_to_prove
from orchestrator.core.engine.schedule import Verdict
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import (
    LIVE_ATTEMPT,
    ArtifactState,
    AttemptStatus,
    CriterionKind,
    InterventionKind,
    TaskStatus,
)
from orchestrator.models import (
    Attempt,
    Blocker,
    Criterion,
    CriterionCheck,
    Executor,
    HandoffArtifact,
    Intervention,
    OutputFile,
    Step,
    Task,
    Verification,
    Workstream,
)
from orchestrator.queries.base.order import launch_order
from orchestrator.queries.base.sql import link
from orchestrator.queries.engine.explanations import Explained, explained
from orchestrator.queries.engine.present import TaskParts
from orchestrator.queries.work.breadcrumbs import breadcrumbs_of
from orchestrator.queries.work.interventions import with_artifact


@dataclass(frozen=True)
class TaskRow:
    """A task as lists show it.

    `state` is the term of its chip: a pending task with a queued attempt is ready.
    """

    task: Task
    verdict: Verdict | None
    attempts: list[Attempt]

    @cached_property
    def latest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def live(self) -> Attempt | None:
        return self.latest if self.latest and self.latest.status in LIVE_ATTEMPT else None

    @property
    def holder(self) -> str:
        """Who runs it, with their account and kind; empty while nobody does."""
        running = self.live is not None and self.live.status == AttemptStatus.RUNNING
        return self.live.assignment.claimed_as if self.live and running else ""

    def held_by(self, executor: Executor) -> bool:
        return bool(self.holder) and self.live is not None and self.live.assignment.executor_id == executor.pk

    @property
    def state(self) -> str:
        if self.task.needs_human:
            return "needs-human"
        if self.failed and self.task.status == TaskStatus.BLOCKED:
            return "failed"
        if self.task.status == TaskStatus.PENDING and self.live:
            return "ready"
        return self.task.status

    @property
    def failed(self) -> Attempt | None:
        """The failed attempt that waits for someone to decide what follows."""
        last = self.latest
        return last if last and last.status == AttemptStatus.FAILED and last.followed_up_at is None else None

    @property
    def sentence(self) -> str:
        return self.verdict.sentence if self.verdict else ""


def tasks_in_order(workstream: Workstream) -> QuerySet[Task]:
    return (
        Task.objects.filter(workstream=workstream)
        .select_related("step__thread__batch__stage")
        .prefetch_related(Prefetch("attempts", _attempts_in_order()))
        .order_by(*launch_order())
    )


def task_rows(
    workstream: Workstream, known: Explained | None = None, *, dropped: bool = True
) -> list[TaskRow]:
    """Every task in launch order with its explanation; a fixed number of queries whatever the size. `known`
    spares those that explain it, and where nothing was `dropped` by a later version those that read the
    tasks.
    """
    if known and not dropped:
        return _rows_as_read(known)
    verdicts = (known or explained(workstream)).by_task()
    found = tasks_in_order(workstream)
    return [TaskRow(task, verdicts.get(task.pk), list(task.attempts.all())) for task in found]


def _rows_as_read(known: Explained) -> list[TaskRow]:
    """From the rows that the explanation rests on: their attempts are all that is missing."""
    verdicts, tasks = known.by_key(), known.loaded.tasks
    ordered = [tasks[view.key] for view in sorted(known.loaded.snapshot.tasks, key=lambda view: view.order)]
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    # Not a prefetch: that makes a query for each task, though nobody asks it.
    for attempt in _attempts_in_order().filter(task__workstream=known.workstream):
        attempts[attempt.task_id].append(attempt)
    for task in ordered:
        link(task, "workstream", known.workstream)
        for attempt in attempts[task.pk]:
            link(attempt, "task", task)
    return [TaskRow(task, verdicts.get(task.pk), attempts[task.pk]) for task in ordered]


def _attempts_in_order() -> QuerySet[Attempt]:
    return Attempt.objects.select_related("assignment__executor").order_by("number")


@dataclass(frozen=True)
class TaskDetail:
    """One task with its definition, attempts, evidence, artifacts, and what it waits for or holds. `outputs`
    has the newest file of each path."""

    row: TaskRow
    criteria: list[Criterion]
    attempts: list[Attempt]
    needs: list[TaskRow]
    needed_by: list[TaskRow]
    artifacts: list[HandoffArtifact]
    outputs: list[OutputFile]
    breadcrumbs: Sequence[BreadcrumbFacts]
    blockers: list[Blocker]
    interventions: list[Intervention]

    @property
    def to_prove(self) -> list[Criterion]:
        """The criteria that completing the task asks evidence for."""
        kinds = kinds_to_prove(self.row.task.rework)
        return [criterion for criterion in self.criteria if criterion.kind in kinds]

    @property
    def provable(self) -> bool:
        """Whether the step has exit criteria; one without is proved by a sentence."""
        return any(criterion.kind == CriterionKind.EXIT for criterion in self.criteria)

    @property
    def asked(self) -> Intervention | None:
        """The intervention that waits for an answer."""
        return next(
            (intervention for intervention in self.interventions if intervention.cleared_at is None), None
        )

    @property
    def answered(self) -> list[Intervention]:
        return [intervention for intervention in self.interventions if intervention.cleared_at is not None]

    @property
    def resolved(self) -> list[Blocker]:
        return [blocker for blocker in self.blockers if blocker.resolved_at is not None]

    @property
    def settled(self) -> bool:
        """Whether something was asked or in the way that no longer is."""
        return bool(self.answered or self.resolved)

    @property
    def breaker(self) -> bool:
        """Whether the task failed too often and waits for a person's answer."""
        return self.asked is not None and self.asked.kind == InterventionKind.BREAKER


def find_workstream(uuid: UUID | str, among: QuerySet[Workstream] | None = None) -> Workstream:
    """The row by its public id; `among` are rows that carry what the caller counts of each. NotFound when
    there is none."""
    rows = Workstream.objects.all() if among is None else among
    workstream = (
        rows.select_related("version__workflow", "owner", "accepted_by", "merged_into", "bundle")
        .filter(uuid=uuid)
        .first()
    )
    if workstream is None:
        raise NotFound("There is no such workstream.")
    return workstream


def find_task(workstream: Workstream, key: str) -> Task:
    """The task under this key: of the version that is followed, else of the latest one that had it."""
    found = list(Task.objects.filter(workstream=workstream, step__key=key).select_related("step__version"))
    if not found:
        raise NotFound(f"There is no task {key} in {workstream}.")
    return max(found, key=lambda task: _newness(task, workstream))


def task_row(task_id: int) -> Task:
    """The task with its step and workstream, by id."""
    rows = Task.objects.select_related("step", "workstream__version__workflow")
    found = rows.defer("workstream__version__source").filter(pk=task_id).first()
    if found is None:
        raise NotFound("There is no such task.")
    return found


def find_workstream_by_slug(slug: str) -> Workstream:
    rows = Workstream.objects.select_related("version__workflow").defer("version__source")
    found = rows.filter(slug=slug).first()
    if found is None:
        raise NotFound(
            f"There is no workstream {slug!r}.", recovery="The portfolio and GET /api/workstreams/ list them."
        )
    return found


def _newness(task: Task, workstream: Workstream) -> tuple[bool, int]:
    return task.step.version_id == workstream.version_id, task.step.version.number


def task_detail(task: Task, known: Explained, has: TaskParts) -> TaskDetail:
    """The task as `known` has it, or one of a step that a later version dropped."""
    rows = task_rows(known.workstream, known, dropped=has.dropped)
    row = next(row for row in rows if row.task.pk == task.pk)
    step, task = row.task.step, row.task
    task.workstream = known.workstream
    needs, needed_by = neighbours(step, known)
    return TaskDetail(
        row=row,
        criteria=list(step.criteria.order_by("kind", "position")),
        attempts=_with_evidence(row.attempts, gates=step.is_gate)[::-1],
        needs=[other for other in rows if other.task.step.key in needs],
        needed_by=[other for other in rows if other.task.step.key in needed_by],
        artifacts=_artifacts_of(task) if has.artifacts else [],
        outputs=_newest_outputs(task) if has.artifacts else [],
        breadcrumbs=breadcrumbs_of(task, row.attempts)[:-51:-1] if row.attempts or task.breadcrumb else (),
        blockers=list(_blockers_of(task)) if has.blockers else [],
        interventions=list(_interventions_of(task)) if has.questions else [],
    )


def neighbours(step: Step, known: Explained) -> tuple[set[str], set[str]]:
    """The keys of the steps that this one names, and of those that name it."""
    views = {view.key: view for view in known.loaded.snapshot.tasks}
    if step.version_id == known.workstream.version_id and step.key in views:
        naming = {view.key for view in views.values() if step.key in view.needs}
        return set(views[step.key].needs), naming
    named = step.needs.values_list("needed__key", flat=True)
    return set(named), set(step.needed_by.values_list("step__key", flat=True))


def _artifacts_of(task: Task) -> list[HandoffArtifact]:
    rows = HandoffArtifact.objects.filter(attempt__task=task)
    return list(rows.order_by("-sequence").defer("body"))


def _newest_outputs(task: Task) -> list[OutputFile]:
    """The newest file of each path."""
    return list({output.path: output for output in reversed(outputs_of([task.pk]))}.values())


def _blockers_of(task: Task) -> QuerySet[Blocker]:
    return task.blockers.select_related("owner", "declared_by", "resolved_by")


def _interventions_of(task: Task) -> QuerySet[Intervention]:
    rows = with_artifact(task.interventions.select_related("cleared_by"))
    return rows.order_by("-raised_at", "-pk")


def attempts_with_evidence(rows: Sequence[TaskRow]) -> list[Attempt]:
    """All attempts of these tasks, newest first, with executor, evidence and gate decisions."""
    attempts = [attempt for row in rows for attempt in reversed(row.attempts)]
    return _with_evidence(attempts, gates=any(row.task.step.is_gate for row in rows))


def _with_evidence(attempts: list[Attempt], *, gates: bool) -> list[Attempt]:
    """The same attempts with what they proved and, with `gates` among their steps, what was decided."""
    checks = CriterionCheck.objects.select_related("criterion", "checked_by").order_by("criterion__position")
    verified = Prefetch("verification", Verification.objects.defer("outputs"))
    prefetch_related_objects(attempts, Prefetch("checks", checks), "same_as", verified)
    if gates:
        decided = ("reviews__reviewer", "reviews__return_step", "reviews__follow_up_version")
        prefetch_related_objects(attempts, *decided)
    return attempts


def outputs_of(task_ids: Iterable[int]) -> list[OutputFile]:
    """The files that attempts of these tasks handed over, newest first; contents are left in the database."""
    return list(
        OutputFile.objects.filter(artifact__attempt__task__in=list(task_ids))
        .exclude(artifact__state=ArtifactState.QUARANTINED)
        .select_related("artifact__attempt")
        .defer("content", "artifact__body")
        .order_by("-artifact__sequence", "path")
    )
