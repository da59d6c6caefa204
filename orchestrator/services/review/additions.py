"""Steps that a running step adds, within the limit that the reviewed plan gives it (AD-8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from orchestrator.core.actions import Action
from orchestrator.core.changes.amend import NewTask, is_listed, keyed_tasks, misread, with_steps
from orchestrator.core.errors import InvalidInput, LimitReached, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import Format, Scope, VersionStatus
from orchestrator.models import Executor, Step, WorkflowVersion, Workstream
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.readings import checked, plan_text
from orchestrator.queries.work.additions import steps_left
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.review.decisions import amend_in_force
from orchestrator.services.work.attempts import held_attempt, record_attempt


@dataclass(frozen=True, slots=True)
class Addition:
    """The version that has the new steps, their keys in order, and how many more may be added."""

    version: WorkflowVersion
    keys: tuple[str, ...]
    left: int


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("reason", "Say why the plan needs these steps."),
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW, Lock.NEEDS),
    records=(Action.STEPS_ADDED, Action.WORKSTREAM_MIGRATED),
)
def add_steps(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    tasks: str,
    reason: str,
    now: datetime,
    actor: Actor | None = None,
) -> Addition:
    """Add steps behind the one that the executor runs: a new version, in force at once because the reviewed
    plan said how many steps this one may add.

    `tasks` has one step a line: `title | exit criterion`, with `KEY:` in front to choose the key.
    LimitReached says how many are left; StaleToken when the claim is no longer the caller's; WrongState while
    another version waits. `actor` as in `completions.complete`.
    """
    work = keyed_tasks(tasks)
    if not work:
        raise InvalidInput("Name at least one step, one a line.", field="tasks")
    actor = actor or Actor.member(executor)
    with unit_of_work():
        attempt = held_attempt(attempt_id, token, executor, actor).attempt
        step, workstream = attempt.task.step, attempt.task.workstream
        left = _left_after(step, work)
        _refuse_waiting_version(workstream, now)
        text, plan, named = _amended(workstream.version, step.key, work)
        version = amend_in_force(
            workstream=workstream, plan=plan, text=text, reason=reason, actor=actor, now=now
        )
        keys = tuple(task.key for task in named)
        data = {"added": list(keys), "version": version.number, "sha256": version.source_sha256, "left": left}
        record_attempt(attempt, actor, Action.STEPS_ADDED, now, reason=reason, data=data)
        wake(workstream.pk)
    return Addition(version, keys, left)


def _left_after(step: Step, work: Sequence[NewTask]) -> int:
    if step.added_by:
        raise LimitReached(
            f"{step.key} was added by {step.added_by}; what is added at run time adds nothing more."
        )
    left = steps_left(step)
    if len(work) > left:
        raise LimitReached(
            f"{step.key} may add {step.may_add} steps and has {left} left, not {len(work)}.",
            left=left,
            limit=step.may_add,
        )
    return left - len(work)


def _refuse_waiting_version(workstream: Workstream, now: datetime) -> None:
    """A text that people are deciding on, or that comes into force later, would lose the new steps again."""
    later = Q(status=VersionStatus.APPROVED, effective_at__gt=now)
    waiting = WorkflowVersion.objects.filter(Q(status=VersionStatus.IN_REVIEW) | later)
    if first := waiting.filter(workflow=workstream.version.workflow_id).order_by("number").first():
        raise WrongState(
            f"Version {first.number} of the plan waits to be decided, and it does not know the new steps.",
            recovery="Have that version decided first, then add the steps.",
            version=first.number,
        )


def _amended(
    version: WorkflowVersion, by: str, work: Sequence[NewTask]
) -> tuple[str, Plan, tuple[NewTask, ...]]:
    """The text in force with the new steps, if it then says what is meant and nothing else."""
    source = plan_text(version)
    base = judged(checked(source, Format.PLAN))
    plan = base.plan
    if plan is None or not is_listed(source, plan, by):
        raise WrongState(
            f"{by} is not a listed step of its thread, so no step can stand behind it.",
            recovery="Submit a new version of the plan that lists the thread's steps.",
        )
    text, named = with_steps(source, plan, by, work)
    reading = judged(checked(text, Format.PLAN))
    # What a later policy finds in the approved plan itself is not the fault of the new steps.
    known = {finding.code for finding in base.blockers}
    blockers = [finding for finding in reading.blockers if finding.code not in known]
    if reading.plan is None or blockers:
        first = (blockers or reading.blockers)[0]
        raise InvalidInput(
            f"The plan would not hold with these steps. {first.message}", recovery=first.fix, field="tasks"
        )
    if key := misread(plan, reading.plan, by, named):
        raise InvalidInput(
            f"With these steps the plan would be read otherwise at {key}.",
            recovery="Use plain titles, without “(needs …)” or Markdown marks, and keys of the same thread.",
            field="tasks",
        )
    return text, reading.plan, named
