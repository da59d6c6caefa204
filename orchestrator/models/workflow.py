"""Workflow: a named blueprint; its text lives in numbered versions (FR-001)."""

from django.conf import settings
from django.db import models


class Workflow(models.Model):
    """A blueprint. `allow_self_approval` lets the author of a version approve it (design section 7)."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=60, blank=True)
    allow_self_approval = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name
