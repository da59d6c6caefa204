"""HistoryEntry: one immutable audit record (FR-009, design section 6)."""

from django.conf import settings
from django.db import models

from orchestrator.core.people.names import EXECUTOR_LENGTH
from orchestrator.core.terms import ExecutorKind
from orchestrator.models.base.choices import choices, label
from orchestrator.models.workstreams.workstream import Workstream


class HistoryEntry(models.Model):
    """Append-only. `leaf` is RFC 8785 text; `leaf_hash` is SHA-256(0x00 || leaf); `sequence` has no gaps.

    `actor` is who acted in words, `executor` its name where one did, `kind` a person, an agent or a tool;
    empty for the orchestrator. They and `account` stand here and in the leaf as they were at the act; an
    account that was renamed since keeps its id.

    `previous_hash` is the leaf hash of the entry before in the same workstream ("" for the first). Database
    triggers refuse update and delete; `services.history` is the only writer.
    """

    sequence = models.PositiveBigIntegerField(unique=True)
    workstream = models.ForeignKey(Workstream, models.PROTECT, null=True, blank=True, related_name="history")
    number = models.PositiveIntegerField(default=0)
    recorded_at = models.DateTimeField()
    actor = label()
    executor = models.CharField(max_length=EXECUTOR_LENGTH, blank=True)
    kind = models.CharField(max_length=10, choices=choices(ExecutorKind), blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    account = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=60, db_index=True)
    subject = models.CharField(max_length=300)
    reason = models.TextField(blank=True)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="corrections")
    leaf = models.TextField()
    leaf_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["sequence"]
        verbose_name_plural = "history entries"
        indexes = [models.Index(fields=["workstream", "number"])]

    def __str__(self) -> str:
        return f"#{self.sequence} {self.action} {self.subject}"
