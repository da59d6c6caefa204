"""What adopting the state of a source has left to do behind gates (WF-8)."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from orchestrator.core.changes.adoption import Adopted, AdoptedAs, adopt, unchanged
from orchestrator.core.plans.action import ACTION
from orchestrator.core.plans.plan import Plan, Progress
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, Task, WorkflowVersion, Workstream
from orchestrator.queries.plans.readings import adoption_by, plan_of, reading_of


def adopting_version(workstream: Workstream) -> WorkflowVersion | None:
    """The version whose approval took over the state of its source."""
    rows = WorkflowVersion.objects.filter(workstream=workstream, adopts=True, effective_at__isnull=False)
    return rows.select_related("author").order_by("number").first()


def held_behind(workstream: Workstream) -> tuple[WorkflowVersion | None, Sequence[Adopted]]:
    """Steps held behind gates when the state was taken over that can count as complete now."""
    version = adopting_version(workstream)
    if version is None:
        return None, ()
    reading = reading_of(version)
    held = {verdict.key for verdict in adoption_by(version).those(AdoptedAs.HELD)}
    if not held or reading.plan is None:
        return version, ()
    plan = plan_of(workstream.version)
    left = unchanged(reading.progress, reading.plan, plan)
    found = adopt(plan, left, _settled(workstream, plan, left))
    return version, [verdict for verdict in found.those(AdoptedAs.COMPLETE) if verdict.key in held]


def _settled(workstream: Workstream, plan: Plan, progress: Sequence[Progress]) -> dict[str, bool]:
    """Which steps stand as the source had them; left out are those that nothing has happened to yet."""
    tried = Attempt.objects.filter(task=OuterRef("pk"))
    own = tried.filter(status=AttemptStatus.COMPLETED, adopted=False)
    rows = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    rows = rows.annotate(tried=Exists(tried), own=Exists(own))
    told = {one.key for one in progress}
    people = {step.key for step in plan.steps() if step.gate or ACTION in step.inferred}
    settled = {}
    for key, status, begun, here in rows.values_list("step__key", "status", "tried", "own"):
        if key in told and status == TaskStatus.PENDING and not begun:
            continue
        complete = status == TaskStatus.COMPLETE and (key in people or not here)
        settled[key] = complete or status == TaskStatus.SKIPPED
    return settled
