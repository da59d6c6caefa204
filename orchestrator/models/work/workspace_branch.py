"""WorkspaceBranch: the one row that says where the workspace's branch stands, as the database knows it.

Requirements: F22 to F24.
"""

from django.db import models

from orchestrator.core.terms import Divergence
from orchestrator.models.base.choices import choices


class WorkspaceBranch(models.Model):
    """`head` is the newest commit that is known, `meant` the one that the branch was about to move to. While
    they differ from what git says, `diverged_at` says since when, `kind` how, and `found` where the branch
    stood then."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    head = models.CharField(max_length=64, blank=True)
    meant = models.CharField(max_length=64, blank=True)
    diverged_at = models.DateTimeField(null=True, blank=True)
    kind = models.CharField(max_length=20, choices=choices(Divergence), blank=True)
    found = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "workspace branch"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="workspace_branch_once"),
            models.CheckConstraint(
                condition=models.Q(kind="") | models.Q(kind__in=[kind.value for kind in Divergence]),
                name="workspace_branch_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return self.head[:12] or "no commit"
