"""Bundle: workstreams that were submitted together (AD-3)."""

from django.conf import settings
from django.db import models

from orchestrator.models.base.choices import label


class Bundle(models.Model):
    """A folder of plans submitted as one; its workstreams may depend on one another."""

    name = models.CharField(max_length=200)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_as = label()
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["submitted_at"]

    def __str__(self) -> str:
        return self.name
