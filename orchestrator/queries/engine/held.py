"""Whether what a launched step builds on has been lost since (EC-3, F32). One query by index while nothing is
lost.
"""

from typing import NamedTuple

from django.db.models import Exists, OuterRef

from orchestrator.core.engine.explain import held_by
from orchestrator.core.engine.holding import Footing, builds_on
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState, TaskStatus
from orchestrator.models import HandoffArtifact, Step, StepNeed, Task
from orchestrator.queries.base.order import plan_order, thread_order
from orchestrator.queries.base.sql import Joined

STEP = "attempt__task__step__"


class Lost(NamedTuple):
    """A handover that cannot be used: whose, the file and what is wrong with it."""

    key: str
    path: str
    problem: str

    @property
    def sentence(self) -> str:
        return held_by(self.key, self.problem)


def lost_before(task: Task) -> Lost | None:
    """The first handover that the task builds on and that was found damaged; None when all of them can be
    used.
    """
    damaged = _damaged(task.workstream_id)
    if not damaged:
        return None
    step = Step.objects.select_related("thread__batch__stage").get(pk=task.step_id)
    thread = step.thread
    place = (thread.batch.stage.position, thread.batch.position, thread.position)
    needs = set(StepNeed.objects.filter(step=step).values_list("needed__key", flat=True))
    here = Footing(step.key, place, step.run_index)
    for key, stage, batch, lane, run, path, problem in damaged:
        if builds_on(here, needs, Footing(key, (stage, batch, lane), run)):
            return Lost(key, path, problem)
    return None


def _damaged(workstream: int) -> list[tuple[str, int, int, int, int, str, str]]:
    """The latest result of each complete task, where it is damaged, in plan order."""
    if not _ANY_DAMAGED.rows(workstream):
        return []
    results = HandoffArtifact.objects.filter(event__in=RESULT_EVENTS)
    later = results.exclude(state=ArtifactState.QUARANTINED).filter(
        attempt__task=OuterRef("attempt__task"), sequence__gt=OuterRef("sequence")
    )
    found = results.filter(
        ~Exists(later),
        workstream=workstream,
        state=ArtifactState.DAMAGED,
        attempt__task__status=TaskStatus.COMPLETE,
    )
    columns = (f"{STEP}key", *thread_order(f"{STEP}thread__"), f"{STEP}run_index", "path", "problem")
    return list(found.order_by(*plan_order(STEP), "sequence").values_list(*columns))


_ANY_DAMAGED = Joined(
    {},
    f"""orchestrator_handoffartifact handover
WHERE handover.workstream_id = %s AND handover.state = '{ArtifactState.DAMAGED.value}' LIMIT 1""",
    {"here": "1"},
)
