"""What people say about a version while they review it: discussions on a line, a step or the whole plan.

Requirements: WF-3.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from orchestrator.models.base.choices import label
from orchestrator.models.plans.version import WorkflowVersion


class Discussion(models.Model):
    """Opened on one version. `line` is 1-based in that version's text, 0 without one; `step` is a key, empty
    without.

    Where it stands in another version is worked out from both texts (`core.anchors`), never stored.
    """

    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="discussions")
    line = models.PositiveIntegerField(default=0)
    step = models.CharField(max_length=80, blank=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolved_as = label(blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(line=0) | Q(step=""), name="discussion_has_one_anchor"),
            models.CheckConstraint(
                condition=Q(resolved_by=None, resolved_at=None)
                | Q(resolved_by__gt=0, resolved_at__isnull=False),
                name="discussion_resolved_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.place}"

    @property
    def place(self) -> str:
        if self.step:
            return f"step {self.step}"
        return f"line {self.line}" if self.line else "the whole plan"


class Comment(models.Model):
    """One remark in a discussion. Without `sent_at` it is a draft that its author alone sees; sent, it never
    changes; discarded, nobody sees it any more.
    """

    discussion = models.ForeignKey(Discussion, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    said_as = label()
    body = models.TextField()
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True, db_index=True)
    discarded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(discarded_at=None), name="comment_sent_or_discarded"
            )
        ]

    def __str__(self) -> str:
        return f"{self.said_as}: {self.body[:40]}"


class ViewedSection(models.Model):
    """A reader marked a section of a plan as viewed: its text, so what changes is viewed again.

    Without `viewed_at` the mark was removed.
    """

    workflow = models.ForeignKey("orchestrator.Workflow", models.PROTECT, related_name="+")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    viewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "reader", "sha256"], name="section_viewed_once")
        ]

    def __str__(self) -> str:
        return f"{self.reader} viewed {self.sha256[:12]}"
