"""What is rehearsed of a plan: its steps as the scheduler will see them, and how each usually goes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.core.engine.conditions import When
from orchestrator.core.engine.contention import Claims, own_files
from orchestrator.core.engine.order import Place, number_runs
from orchestrator.core.engine.values import TaskView
from orchestrator.core.plans.plan import PlacedStep, Plan, StepSpec, ThreadSpec


@dataclass(frozen=True, slots=True)
class RehearsalScript:
    """What is rehearsed.

    The tasks with the number of their run, the outcome each usually has, how long each takes.
    """

    views: Mapping[str, TaskView]
    usual: Mapping[str, str]
    parameters: tuple[tuple[str, str], ...]
    lengths: Mapping[str, int]


def script_of(plan: Plan, lengths: Mapping[str, int]) -> RehearsalScript:
    """Every step of a plan; `lengths` says how long each takes."""
    placed = {item.step.key: item for item in plan.placed_steps()}
    ordered = sorted(placed.values(), key=lambda item: item.place)
    runs = number_runs((item.step.key, item.place[:3], item.step.parallel) for item in ordered)
    views = {key: view_of(item, runs[key]) for key, item in placed.items()}
    usual = {step.key: next(iter(step.outcomes), "") for step in plan.steps()}
    return RehearsalScript(views, usual, plan.parameters, lengths)


def script_of_tasks(views: Mapping[str, TaskView]) -> RehearsalScript:
    """Tasks as they stand, each of equal length; their runs are counted anew."""
    ordered = sorted(views.values(), key=lambda view: view.place)
    runs = number_runs((view.key, view.place[:3], view.parallel) for view in ordered)
    numbered = {
        key: view if view.run == runs[key] else replace(view, run=runs[key]) for key, view in views.items()
    }
    return RehearsalScript(numbered, {}, (), {})


def view_of(placed: PlacedStep, run: int | None = None) -> TaskView:
    """A step of an unapproved plan as the scheduler will see it.

    `run` is the number of its run where it is known.
    """
    step, thread = placed.step, placed.thread
    return TaskView(
        key=step.key,
        place=Place(*placed.place),
        gate=step.gate is not None,
        parallel=step.parallel,
        needs=tuple(need.key for need in step.needs),
        claims=_claims_of(step, thread),
        reviewers=step.gate.reviewers if step.gate else (),
        signatures=step.gate.signatures if step.gate else 1,
        run=run,
        when=When(step.when) if step.when and step.gate is None else None,
    )


def _claims_of(step: StepSpec, thread: ThreadSpec) -> Claims:
    files = own_files(step.files, thread.files, parallel=step.parallel)
    return Claims(thread.lane, thread.files, files, step.resources)
