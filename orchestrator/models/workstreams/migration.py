"""Migration: a workstream in flight brought in line with another version, and the way back (FR-016, EC-4)."""

from django.db import models

from orchestrator.core.terms import MappedOutcome, MappingKind
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.plans.step import Step
from orchestrator.models.plans.version import WorkflowVersion
from orchestrator.models.workstreams.workstream import Workstream


class Migration(models.Model):
    """One applied migration. `rolls_back` names the one that this one rolled back."""

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="migrations")
    from_version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="+")
    to_version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="migrations")
    reason = models.TextField(blank=True)
    applied_by = label()
    applied_at = models.DateTimeField()
    rolls_back = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="rolled_back_by"
    )

    class Meta:
        ordering = ["workstream_id", "applied_at", "id"]

    def __str__(self) -> str:
        return f"{self.workstream}: {self.from_version.number} to {self.to_version.number}"


class MappedStep(models.Model):
    """What a migration did to one step: how it was mapped (`kind`) and what came of its task (`outcome`).

    `old_status` is the task's status before it, empty for an added step.
    """

    migration = models.ForeignKey(Migration, models.PROTECT, related_name="mapped_steps")
    kind = models.CharField(max_length=10, choices=choices(MappingKind))
    old_step = models.ForeignKey(Step, models.PROTECT, null=True, blank=True, related_name="+")
    new_step = models.ForeignKey(Step, models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=choices(MappedOutcome), default=MappedOutcome.KEPT)
    old_status = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["migration_id", "id"]
        constraints = [
            one_of("kind", MappingKind, "mapping_kind_known"),
            one_of("outcome", MappedOutcome, "mapped_outcome_known"),
        ]

    def __str__(self) -> str:
        return f"{self.old_step} {self.kind} {self.new_step}"
