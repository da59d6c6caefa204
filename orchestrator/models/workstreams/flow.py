"""FlowColumns: what is kept of a workstream's flow (FR-013)."""

from datetime import timedelta

from django.db import models

from orchestrator.core.terms import FlowState
from orchestrator.models.base.choices import choices


class FlowColumns(models.Model):
    """Columns of the workstream, written with its counters at the end of every act
    (`core.flow.keeping.KeptFlow` says what each means). A sum holds what is over; what lasts began at the
    column `…_since` beside it."""

    flow_state = models.CharField(max_length=10, choices=choices(FlowState), default=FlowState.PLANNED)
    flow_since = models.DateTimeField()
    first_finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    first_accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    running = models.PositiveIntegerField(default=0, editable=False)
    open_blockers = models.PositiveIntegerField(default=0, editable=False)
    reworking = models.PositiveIntegerField(default=0, editable=False)
    active_since = models.DateTimeField(null=True, blank=True, editable=False)
    blocked_since = models.DateTimeField(null=True, blank=True, editable=False)
    rework_since = models.DateTimeField(null=True, blank=True, editable=False)
    active_time = models.DurationField(default=timedelta(0), editable=False)
    blocked_time = models.DurationField(default=timedelta(0), editable=False)
    rework_time = models.DurationField(default=timedelta(0), editable=False)
    back_moves = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True
