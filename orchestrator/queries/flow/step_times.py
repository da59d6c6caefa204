"""How long steps took in some workstreams, and since when others are in work (FR-013)."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import DurationField, Exists, ExpressionWrapper, F, Min, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from orchestrator.core.terms import LIVE_ATTEMPT, OPEN_TASK, StepKind
from orchestrator.models import Attempt, Task

#: A length of time by workstream and key of the step.
StepSpans = Mapping[tuple[int, str], timedelta]


def worked_on(workstreams: Collection[int], key: str = "") -> StepSpans:
    """How long all attempts of a step took together; of every step without a `key`."""
    lasted = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    over = Attempt.objects.filter(
        task__workstream__in=workstreams, started_at__isnull=False, ended_at__isnull=False
    )
    if key:
        over = over.filter(task__step__key=key)
    rows = over.order_by().values_list("task__workstream_id", "task__step__key").annotate(spent=Sum(lasted))
    return {(workstream, step): spent for workstream, step, spent in rows}


def in_work(workstreams: Collection[int], as_of: datetime, key: str = "") -> StepSpans:
    """How old the steps are that were started and have not ended, failed ones and those that are done again
    among them. A gate is started when it asks for a signature."""
    live = Attempt.objects.filter(task=OuterRef("pk"), status__in=[one.value for one in LIVE_ATTEMPT])
    asks = Q(Exists(live), step__kind=StepKind.GATE)
    found = Task.objects.filter(
        asks | Q(attempts__started_at__isnull=False),
        workstream__in=workstreams,
        status__in=[one.value for one in OPEN_TASK],
    )
    if key:
        found = found.filter(step__key=key)
    began = Coalesce("attempts__started_at", "attempts__queued_at")
    rows = found.order_by().values_list("workstream_id", "step__key").annotate(began=Min(began))
    return {(workstream, step): as_of - since for workstream, step, since in rows}
