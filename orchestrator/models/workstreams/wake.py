"""Whether a message waits in the queue for a workstream; at most one at a time."""

from django.db import models

from orchestrator.models.workstreams.workstream import Workstream


class Wake(models.Model):
    """`waits` until the queue begins with the message: what changes after that asks anew."""

    workstream = models.OneToOneField(Workstream, models.PROTECT, primary_key=True, related_name="+")
    waits = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"message for workstream {self.pk}"
