"""Start another workstream on a workflow that is in force: a blueprint is reusable (FR-001, FR-002)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, NotFound, WrongState
from orchestrator.core.people.roles import SUBMITTERS
from orchestrator.core.plans.plan import Plan, slugify
from orchestrator.core.terms import Scope, WorkstreamStatus
from orchestrator.models import Step, Task, Workflow, WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import versions_in_effect
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.history import record, speaks_of
from orchestrator.services.base.locks import Lock, lock_names, lock_workflow
from orchestrator.services.base.progress import recount
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.workstreams.needs import relate_needs


@act(
    roles=SUBMITTERS,
    scope=Scope.MANAGE,
    locks=(Lock.WORKFLOW, Lock.NAMES, Lock.NEEDS),
    records=(Action.WORKSTREAM_STARTED,),
)
def start_workstream(*, workflow: str, title: str, actor: Actor, now: datetime) -> Workstream:
    """Register a workstream on the newest version in effect of the workflow with this slug; its tasks are
    created.

    Its pre-handoff review has to be signed before anything starts, as for every workstream (FR-003).
    """
    if not title.strip():
        raise InvalidInput("The workstream needs a title of its own.", field="title")
    with unit_of_work():
        found = Workflow.objects.filter(slug=workflow).values_list("pk", flat=True).first()
        if found is None:
            raise NotFound(f"There is no workflow {workflow}.")
        blueprint = lock_workflow(found)
        version = _in_effect(blueprint, now)
        plan = plan_of(version)
        lock_names()
        workstream = _register(version, plan, title.strip(), actor, now)
        relate_needs(workstream=workstream, plan=plan, actor=actor, now=now)
        steps = list(Step.objects.filter(version=version).order_by("pk"))
        speaks_of(*Task.objects.bulk_create(Task.of(step, workstream, now) for step in steps))
        recount(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.WORKSTREAM_STARTED,
            subject=f"version {version.number} of {blueprint.slug}",
            now=now,
            data={"version": version.number, "added": [step.key for step in steps]},
        )
        wake(workstream.pk)
    return workstream


def _in_effect(workflow: Workflow, now: datetime) -> WorkflowVersion:
    version = next(iter(versions_in_effect(workflow.pk, now)), None)
    if version is None:
        raise WrongState(
            f"No version of {workflow.slug} is in effect.",
            recovery="Have a version of its plan approved first.",
        )
    return version


def _register(version: WorkflowVersion, plan: Plan, title: str, actor: Actor, now: datetime) -> Workstream:
    return Workstream.objects.create(
        slug=_free_slug(slugify(title)),
        title=title[:200],
        version=version,
        status=WorkstreamStatus.ACTIVE,
        domain=plan.domain[:60],
        owner=actor.account,
        priority=plan.priority,
        flow_since=now,
        created_at=now,
        updated_at=now,
    )


def _free_slug(slug: str) -> str:
    taken = set(Workstream.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    taken |= set(Workflow.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    candidates = (slug if n == 1 else f"{slug}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)
