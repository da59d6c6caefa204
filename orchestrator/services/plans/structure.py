"""From an approved plan to rows: stages, batches, threads and steps (WF-1, WF-3)."""

from collections.abc import Mapping, Sequence

from orchestrator.core.engine.order import Place, number_runs
from orchestrator.core.engine.reach import reach
from orchestrator.core.engine.values import TaskView
from orchestrator.core.engine.verification import gates_verify
from orchestrator.core.plans.plan import BatchSpec, PlacedStep, Plan, StageSpec, StepSpec, ThreadSpec, slugify
from orchestrator.core.terms import CriterionKind
from orchestrator.models import (
    Batch,
    Criterion,
    GateReviewer,
    OwnedFiles,
    Stage,
    Step,
    StepNeed,
    StepResource,
    Thread,
    WorkflowVersion,
)
from orchestrator.services.base.history import speaks_of


def create_structure(version: WorkflowVersion, plan: Plan) -> dict[str, Step]:
    """Write the rows of a checked plan inside the approval's transaction.

    Answers with the steps by key, in order.
    """
    threads = _create_threads(version, plan)
    placed = list(plan.placed_steps())
    places = dict.fromkeys(p.place[:2] for p in placed)
    batches = {place: number for number, place in enumerate(places)}
    runs = number_runs((p.step.key, p.place[:3], p.step.parallel) for p in placed)
    views = [_as_view(p) for p in placed]
    behind = reach(views)
    by_gate = gates_verify(views, {p.step.key: p.step.verify for p in placed if p.step.gate})
    steps = [_step(version, threads[p.place[:3]], p) for p in placed]
    for step, p in zip(steps, placed, strict=True):
        step.batch_index, step.run_index = batches[p.place[:2]], runs[step.key]
        step.behind, step.gate_verify = behind[step.key], by_gate.get(step.key, "")[:500]
    Step.objects.bulk_create(steps)
    by_key = {step.key: step for step in steps}
    needs: dict[tuple[str, str], StepNeed] = {}
    for p in placed:
        for need in p.step.needs:
            row = StepNeed(step=by_key[p.step.key], needed=by_key[need.key], inferred=need.inferred)
            needs[p.step.key, need.key] = row
    speaks_of(*steps, *StepNeed.objects.bulk_create(needs.values()))
    _describe(placed, by_key)
    return by_key


def _describe(placed: Sequence[PlacedStep], by_key: Mapping[str, Step]) -> None:
    """What the steps have to prove, what they hold, and who signs."""
    own = [(by_key[p.step.key], p.step) for p in placed]
    speaks_of(*Criterion.objects.bulk_create(c for step, spec in own for c in _criteria(step, spec)))
    speaks_of(*StepResource.objects.bulk_create(r for step, spec in own for r in _resources(step, spec)))
    reviewers = (
        GateReviewer(step=step, name=name)
        for step, spec in own
        if spec.gate
        for name in dict.fromkeys(spec.gate.reviewers)
    )
    speaks_of(*GateReviewer.objects.bulk_create(reviewers))


def _as_view(placed: PlacedStep) -> TaskView:
    step = placed.step
    needs = tuple(need.key for need in step.needs)
    return TaskView(step.key, Place(*placed.place), parallel=step.parallel, needs=needs)


def _create_threads(version: WorkflowVersion, plan: Plan) -> dict[tuple[int, ...], Thread]:
    """Each level in one statement; the threads by their place."""
    stages = {(s,): _stage(version, s, spec) for s, spec in enumerate(plan.stages)}
    speaks_of(*Stage.objects.bulk_create(stages.values()))
    batches: dict[tuple[int, ...], Batch] = {}
    threads: dict[tuple[int, ...], Thread] = {}
    files: list[OwnedFiles] = []
    for (s,), stage in stages.items():
        for b, batch_spec in enumerate(plan.stages[s].batches):
            batch = batches[s, b] = _batch(stage, b, batch_spec)
            for t, thread_spec in enumerate(batch_spec.threads):
                thread = threads[s, b, t] = _thread(batch, t, thread_spec)
                files += _owned_files(thread, thread_spec)
    speaks_of(*Batch.objects.bulk_create(batches.values()))
    speaks_of(*Thread.objects.bulk_create(threads.values()))
    speaks_of(*OwnedFiles.objects.bulk_create(files))
    return threads


def _stage(version: WorkflowVersion, position: int, spec: StageSpec) -> Stage:
    return Stage(
        version=version,
        position=position,
        number=spec.number,
        name=spec.name[:200],
        slug=spec.slug,
        kind=spec.kind,
        definition=spec.definition,
    )


def _batch(stage: Stage, position: int, spec: BatchSpec) -> Batch:
    return Batch(
        stage=stage, position=position, prefix=spec.prefix[:80], name=spec.name[:200], slug=spec.slug
    )


def _thread(batch: Batch, position: int, spec: ThreadSpec) -> Thread:
    return Thread(
        batch=batch,
        position=position,
        lane=spec.lane[:80],
        name=spec.name[:200],
        slug=slugify(f"{spec.lane} {spec.name}"),
        owner_role=spec.role[:20],
        worktree=spec.worktree[:200],
    )


def _owned_files(thread: Thread, spec: ThreadSpec) -> list[OwnedFiles]:
    return [OwnedFiles(thread=thread, pattern=pattern[:300]) for pattern in dict.fromkeys(spec.files)]


def _step(version: WorkflowVersion, thread: Thread, placed: PlacedStep) -> Step:
    spec = placed.step
    return Step(
        version=version,
        thread=thread,
        position=placed.place[3],
        key=spec.key,
        title=spec.title[:300],
        details=spec.details,
        kind=spec.kind,
        gate_kind=spec.gate.kind if spec.gate else "",
        gate_action=spec.gate.action if spec.gate else "",
        role=spec.role[:20],
        tool=spec.tool[:60],
        run=spec.run[:500],
        verify=spec.verify[:500],
        budget=spec.budget,
        parallel=spec.parallel,
        condition=spec.when[:300],
        estimate=spec.estimate,
        signatures=spec.gate.signatures if spec.gate else 1,
        outcomes=", ".join(spec.outcomes)[:300],
        max_attempts=spec.max_attempts,
        may_add=spec.may_add,
        added_by=spec.added_by[:80],
        line=spec.line,
    )


def _criteria(step: Step, spec: StepSpec) -> list[Criterion]:
    groups = {
        CriterionKind.ENTRY: spec.entry,
        CriterionKind.EXIT: spec.exit,
        CriterionKind.DONE: spec.done_when,
    }
    return [
        Criterion(step=step, kind=kind, position=position, text=text[:500])
        for kind, texts in groups.items()
        for position, text in enumerate(texts)
    ]


def _resources(step: Step, spec: StepSpec) -> list[StepResource]:
    named = [StepResource(step=step, name=name[:300]) for name in dict.fromkeys(spec.resources)]
    files = [StepResource(step=step, name=glob[:300], is_files=True) for glob in dict.fromkeys(spec.files)]
    return named + files
