"""Policy: a rule people follow, and its change log (LC-11, FR-022)."""

from django.conf import settings
from django.db import models

from orchestrator.models.base.choices import label


class Policy(models.Model):
    """A rule people follow, such as the definition of done for workstreams; `body` is Markdown."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    body = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["slug"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.title


class PolicyChange(models.Model):
    """Who changed a policy, why, and what it means for running work."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="changes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    changed_as = label()
    reason = models.TextField()
    impact = models.TextField(blank=True)
    body = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at"]

    def __str__(self) -> str:
        return f"{self.policy} changed by {self.author}"
