"""Blocker: a declared impediment (FR-012)."""

from django.conf import settings
from django.db import models

from orchestrator.models.base.choices import label
from orchestrator.models.work.task import Task


class Blocker(models.Model):
    """A declared impediment: class, owner, start, end, how it was resolved (FR-012)."""

    task = models.ForeignKey(Task, models.PROTECT, related_name="blockers")
    kind = models.CharField(max_length=20)
    note = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    declared_as = label()
    declared_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolved_as = label(blank=True)
    resolution = models.TextField(blank=True)

    class Meta:
        ordering = ["declared_at"]

    def __str__(self) -> str:
        return f"{self.kind} blocker on {self.task}"
