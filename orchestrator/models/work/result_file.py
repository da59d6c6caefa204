"""ResultFile: what the collector made of a file that a producer committed itself (FR-029)."""

from django.db import models

from orchestrator.core.terms import ResultFileState
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.work.attempt import Attempt


class ResultFile(models.Model):
    """A file of `refs/inbox/<executor>`, looked at once; `problem` says why it was quarantined.

    `blob` is git's name of its content: the same content at the same path is the same file, whatever commit
    holds it. A branch or a commit that cannot be looked at has a row too, with whatever names it there.
    """

    executor = models.CharField(max_length=60)
    commit = models.CharField(max_length=64)
    path = models.CharField(max_length=600)
    blob = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=choices(ResultFileState))
    problem = models.TextField(blank=True)
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, blank=True, related_name="result_files")
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["seen_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["executor", "path", "blob"], name="result_file_once"),
            one_of("state", ResultFileState, "result_file_state_known"),
        ]
        indexes = [models.Index(fields=["blob", "executor"])]

    def __str__(self) -> str:
        return f"{self.executor}: {self.path}"
