"""BaselineIntegration: outputs became part of the base branch; the rework boundary (FR-010)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from orchestrator.core.terms import IntegrationSource
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.workstreams.workstream import Workstream


class BaselineIntegration(models.Model):
    """An integration of a workstream's work, in force until a revert decision ends it.

    At most one is in force.
    """

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="integrations")
    source = models.CharField(max_length=20, choices=choices(IntegrationSource))
    commit = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True)
    integrated_by = label()
    integrated_at = models.DateTimeField()
    reverted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reverted_as = label(blank=True)
    reverted_at = models.DateTimeField(null=True, blank=True)
    revert_reason = models.TextField(blank=True)
    revert_commit = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["workstream_id", "integrated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workstream"], condition=Q(reverted_at__isnull=True), name="one_integration_in_force"
            ),
            one_of("source", IntegrationSource, "integration_source_known"),
            models.CheckConstraint(
                condition=Q(reverted_at__isnull=True) | (Q(reverted_by__isnull=False) & ~Q(revert_reason="")),
                name="revert_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"Integration of {self.workstream}"
