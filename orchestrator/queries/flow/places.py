"""The steps at which workstreams stand (FR-013)."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from orchestrator.core.flow.ageing import StepPlace
from orchestrator.core.terms import LIVE_ATTEMPT, TaskStatus
from orchestrator.models import Attempt, Task

#: What `StepPlace` is made of, and the order of the plan.
PLACE = ("step__key", "step__kind", "step__gate_kind", "step__thread__batch__stage__kind")
ORDER = ("batch_index", "position", "step__key")


def standing_at(workstreams: Collection[int]) -> dict[int, StepPlace]:
    """Of each workstream the first step in the order of the plan that is launched, or failed and waits."""
    live = Attempt.objects.filter(task=OuterRef("pk"), status__in=[one.value for one in LIVE_ATTEMPT])
    open_ones = Task.objects.filter(Exists(live) | Q(status=TaskStatus.BLOCKED), workstream__in=workstreams)
    places: dict[int, StepPlace] = {}
    for workstream, *place in open_ones.order_by(*ORDER).values_list("workstream_id", *PLACE):
        places.setdefault(workstream, StepPlace(*place))
    return places
