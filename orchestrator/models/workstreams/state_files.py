"""When the state files of a workstream were last written, and whether they have to be written again."""

from django.db import models

from orchestrator.models.workstreams.workstream import Workstream


class StateFiles(models.Model):
    """`written_at` is the time of the writing that began last. `behind` says that an advance since then left
    them to a later one, so the next one that may writes them (WF-7, BX-6)."""

    workstream = models.OneToOneField(Workstream, models.PROTECT, primary_key=True, related_name="+")
    written_at = models.DateTimeField()
    behind = models.BooleanField(default=False, db_index=True)

    class Meta:
        verbose_name_plural = "state files"

    def __str__(self) -> str:
        return f"state files of workstream {self.pk}"
