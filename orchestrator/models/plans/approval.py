"""Approval: what one person signed about one version; the last one needed approves it (WF-3)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from orchestrator.models.base.choices import label
from orchestrator.models.plans.version import WorkflowVersion


class Approval(models.Model):
    """Bound to the text by `sha256`. Approvals stay on record when the version is sent back or withdrawn.

    One that its person withdrew before it took effect (`withdrawn_at`) stays as well, and counts no more.
    """

    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="approvals")
    sha256 = models.CharField(max_length=64)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_as = label()
    note = models.TextField(blank=True)
    signed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["signed_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "person"],
                condition=Q(withdrawn_at=None),
                name="one_approval_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} by {self.person}"
