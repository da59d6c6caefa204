"""Snooze: something in a person's inbox that they do not want to see until a time (FR-002)."""

from django.conf import settings
from django.db import models


class Snooze(models.Model):
    """One row per person and item. `source` names the kind of item, `row` is its id there; setting another
    time replaces `until`, and a time that is past hides nothing."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    source = models.SlugField(max_length=30)
    row = models.PositiveBigIntegerField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["person_id", "until"]
        constraints = [
            models.UniqueConstraint(fields=["person", "source", "row"], name="one_snooze_per_item")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.row} until {self.until}"
