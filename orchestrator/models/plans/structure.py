"""The structure of a version: stages hold batches, batches hold threads (WF-1)."""

from django.db import models

from orchestrator.core.terms import StageKind
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.plans.version import WorkflowVersion


class Stage(models.Model):
    """A serial section of a version.

    `position` is 0-based and gives the order; `number` is what the plan prints.
    """

    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="stages")
    position = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=choices(StageKind), default=StageKind.NORMAL)
    definition = models.TextField(blank=True)

    class Meta:
        ordering = ["version_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="stage_position_once"),
            one_of("kind", StageKind, "stage_kind_known"),
        ]

    def __str__(self) -> str:
        return f"Stage {self.number}: {self.name}"


class Batch(models.Model):
    """A serial group in a stage; batch N+1 waits for all of batch N (BX-4)."""

    stage = models.ForeignKey(Stage, models.PROTECT, related_name="batches")
    position = models.PositiveIntegerField()
    prefix = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=80)

    class Meta:
        ordering = ["stage_id", "position"]
        verbose_name_plural = "batches"
        constraints = [models.UniqueConstraint(fields=["stage", "position"], name="batch_position_once")]

    def __str__(self) -> str:
        return f"Batch {self.prefix}: {self.name}"


class Thread(models.Model):
    """A thread of a batch: who is responsible, what it owns, where it works (BX-1)."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="threads")
    position = models.PositiveIntegerField()
    lane = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=80)
    owner_role = models.CharField(max_length=20, blank=True)
    worktree = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["batch_id", "position"]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="thread_position_once")]

    def __str__(self) -> str:
        return f"{self.lane}: {self.name}"


class OwnedFiles(models.Model):
    """A glob of repository files that a thread owns; overlapping owners never run together (BX-5)."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="owned_files")
    pattern = models.CharField(max_length=300)

    class Meta:
        ordering = ["thread_id", "pattern"]
        verbose_name_plural = "owned files"
        constraints = [models.UniqueConstraint(fields=["thread", "pattern"], name="owned_pattern_once")]

    def __str__(self) -> str:
        return self.pattern
