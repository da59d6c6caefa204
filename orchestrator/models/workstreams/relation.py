"""How workstreams stand to one another: what one needs of another, and suspected duplicates.

Requirements: AD-3, FR-003.
"""

from django.conf import settings
from django.db import models

from orchestrator.core.terms import DuplicateOutcome
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.workstreams.workstream import Workstream


class CurrentNeeds(models.Manager["WorkstreamNeed"]):
    """The needs that hold; nothing is deleted, so those that a later version dropped stay as rows."""

    def get_queryset(self) -> models.QuerySet["WorkstreamNeed"]:
        return super().get_queryset().filter(dropped_at=None)


class WorkstreamNeed(models.Model):
    """Nothing of `workstream` is launched before `needed` is completed, unless the need was dropped since."""

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="needs")
    needed = models.ForeignKey(Workstream, models.PROTECT, related_name="needed_by")
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = CurrentNeeds()
    ever = models.Manager["WorkstreamNeed"]()

    class Meta:
        ordering = ["workstream_id", "needed_id"]
        constraints = [
            models.UniqueConstraint(fields=["workstream", "needed"], name="workstream_need_once"),
            models.CheckConstraint(
                condition=~models.Q(workstream=models.F("needed")), name="workstream_need_not_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workstream} needs {self.needed}"


class DuplicateDecision(models.Model):
    """What a person decided about a suspected duplicate, and why; an override says that it is none (EC-5)."""

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="duplicate_decisions")
    other = models.ForeignKey(Workstream, models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, choices=choices(DuplicateOutcome))
    rationale = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_as = label()
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["decided_at"]
        constraints = [
            models.UniqueConstraint(fields=["workstream", "other"], name="duplicate_decided_once"),
            one_of("outcome", DuplicateOutcome, "duplicate_outcome_known"),
            models.CheckConstraint(condition=~models.Q(rationale=""), name="duplicate_has_a_rationale"),
        ]

    def __str__(self) -> str:
        return f"{self.workstream} and {self.other}: {self.outcome}"
