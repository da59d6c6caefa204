"""SavedWorkflow: a plan that was kept with parameters, to start workstreams from (AD-8).

Numbered, never deleted.
"""

from django.conf import settings
from django.db import models

from orchestrator.models.base.choices import label
from orchestrator.models.plans.version import WorkflowVersion


class SavedWorkflow(models.Model):
    """Its name in addresses is the slug, which no shipped workflow has.

    An archived one starts nothing new.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class SavedWorkflowVersion(models.Model):
    """One immutable PLAN.md with `{{name}}` in it; `plan` is the approved version that it was made of."""

    workflow = models.ForeignKey(SavedWorkflow, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField()
    source_sha256 = models.CharField(max_length=64)
    description = models.TextField(blank=True)
    plan = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="saved_as")
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_as = label()
    saved_at = models.DateTimeField()
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["workflow_id", "-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="saved_number_once")]

    def __str__(self) -> str:
        return f"{self.workflow} v{self.number}"
