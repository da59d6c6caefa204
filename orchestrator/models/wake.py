"""A message that waits in the queue for a workstream; at most one at a time."""

from django.db import models

from orchestrator.models.workstream import Workstream


class Wake(models.Model):
    """The row comes with the message and goes when the queue begins with it: what changes after that asks anew."""

    workstream = models.OneToOneField(Workstream, models.PROTECT, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"message for workstream {self.pk}"
