"""SchedulingDecision: one recorded round and the verdicts that changed in it (FR-005, FR-015)."""

from django.db import models

from orchestrator.core.terms import Reason
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.work.task import Task
from orchestrator.models.workstreams.workstream import Workstream


class SchedulingDecision(models.Model):
    """Round `number` of a workstream. `snapshot_sha256` shows that equal snapshots gave equal decisions.
    `skipped` is how many steps were skipped by a round that was just made; it is not stored."""

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="decisions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    snapshot_sha256 = models.CharField(max_length=64)
    skipped = 0

    class Meta:
        ordering = ["workstream_id", "-number"]
        constraints = [models.UniqueConstraint(fields=["workstream", "number"], name="round_number_once")]

    def __str__(self) -> str:
        return f"Round {self.number} of {self.workstream}"


class RecordedVerdict(models.Model):
    """Why a task may start or not.

    `launch_order` is its 1-based place when launched; `holder` is who it waits for.
    """

    decision = models.ForeignKey(SchedulingDecision, models.PROTECT, related_name="verdicts")
    task = models.ForeignKey(Task, models.PROTECT, related_name="verdicts")
    reason = models.CharField(max_length=30, choices=choices(Reason))
    holder = models.CharField(max_length=300, blank=True)
    sentence = models.TextField()
    launch_order = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["decision_id", "launch_order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "task"], name="one_verdict_per_round"),
            one_of("reason", Reason, "verdict_reason_known"),
        ]

    def __str__(self) -> str:
        return self.sentence
