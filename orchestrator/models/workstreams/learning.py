"""Learning: what a batch or merge point taught (BX-7)."""

from django.conf import settings
from django.db import models

from orchestrator.models.base.choices import label
from orchestrator.models.workstreams.workstream import Workstream


class Learning(models.Model):
    """What went wrong, worked, or needs tightening; written where the next executor reads it."""

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="learnings")
    after = models.CharField(max_length=80)
    went_wrong = models.TextField(blank=True)
    worked = models.TextField(blank=True)
    tighten = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_as = label()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["recorded_at"]

    def __str__(self) -> str:
        return f"Learning after {self.after}"
