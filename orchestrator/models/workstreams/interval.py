"""StateInterval: a time that is over in which a workstream was in a state (FR-013)."""

from django.db import models

from orchestrator.core.terms import FlowState
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.workstreams.workstream import Workstream


class StateInterval(models.Model):
    """Half-open and in UTC. Written by the act that ends it; the open ones are columns of the workstream.

    Attempts are the intervals in which work ran, so `active` has no rows here. `manage.py rebuild flow`
    makes all of them again from the history; what turns out not to have been so is `void` and not read any
    more.
    """

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="intervals")
    state = models.CharField(max_length=10, choices=choices(FlowState))
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    void = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["workstream_id", "began_at", "state"]
        indexes = [models.Index(fields=["state", "ended_at"])]
        constraints = [
            one_of("state", FlowState, "interval_state_known"),
            models.CheckConstraint(
                condition=models.Q(ended_at__gt=models.F("began_at")), name="interval_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workstream} {self.state}"
