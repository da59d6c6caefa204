"""Task: a step in one workstream (WF-8, LC-6)."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from orchestrator.core.engine.proof import ProofWord
from orchestrator.core.terms import OPEN_TASK, TaskStatus
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.base.stored_row import StoredRow
from orchestrator.models.plans.step import Step
from orchestrator.models.plans.structure import Thread
from orchestrator.models.workstreams.workstream import Workstream

OPEN = [status.value for status in sorted(OPEN_TASK)]


class Task(StoredRow):
    """State of one step. `last_token` is the highest fencing token given out; it only grows (design section
    4).

    `heard_at` is when who holds it, or held it last, last said something: a claim, a breadcrumb, an end.
    `rework` counts how often a completed result of it was sent back (FR-021). `verdict` is the latest one a
    round recorded. Attempts up to number `forgiven` no longer count for the circuit breaker (`core.breaker`).
    `budget` is what a person set instead of the step's; empty where nobody did. `proof` is
    what its last completion rests on.

    `batch_index`, `thread`, `run_index` and `position` repeat the step's place, so that a round finds the
    open frontier by an index; `progress.recount` writes them. `open_batch` is null once the task needs
    nothing more. `due` asks the next round to look at the task or what follows it; `standing` says that the
    last verdict rests on the task's own state, which has not changed since.
    """

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="tasks")
    step = models.ForeignKey(Step, models.PROTECT, related_name="tasks")
    status = models.CharField(max_length=20, choices=choices(TaskStatus), default=TaskStatus.PENDING)
    breadcrumb = models.TextField(blank=True)
    needs_human = models.BooleanField(default=False)
    intervention_note = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    last_token = models.PositiveBigIntegerField(default=0)
    heard_at = models.DateTimeField(null=True, blank=True)
    rework = models.PositiveIntegerField(default=0)
    forgiven = models.PositiveIntegerField(default=0)
    budget = models.CharField(max_length=200, blank=True)
    proof = models.CharField(max_length=10, choices=choices(ProofWord), blank=True)
    verdict = models.ForeignKey(
        "orchestrator.RecordedVerdict", models.PROTECT, null=True, blank=True, related_name="+"
    )
    batch_index = models.PositiveIntegerField(default=0, editable=False)
    thread = models.ForeignKey(Thread, models.PROTECT, null=True, editable=False, related_name="+")
    run_index = models.PositiveIntegerField(default=0, editable=False)
    position = models.PositiveIntegerField(default=0, editable=False)
    open_batch = models.GeneratedField(
        expression=models.Case(models.When(status__in=OPEN, then=models.F("batch_index"))),
        output_field=models.PositiveIntegerField(null=True),
        db_persist=True,
    )
    due = models.BooleanField(default=False, editable=False)
    standing = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["workstream_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workstream", "step"], name="task_once_per_step"),
            one_of("status", TaskStatus, "task_status_known"),
            models.CheckConstraint(
                condition=models.Q(needs_human=False) | ~models.Q(intervention_note=""),
                name="needs_human_has_a_note",
            ),
        ]
        indexes = [
            models.Index(fields=["workstream", "status"]),
            models.Index(
                fields=["workstream"], condition=models.Q(needs_human=True), name="task_needs_human"
            ),
            models.Index(fields=["workstream"], condition=models.Q(due=True), name="task_due"),
            models.Index(
                fields=["workstream"],
                condition=models.Q(status=TaskStatus.REVIEW.value),
                name="task_in_review",
            ),
            models.Index(
                fields=["workstream", "open_batch", "thread", "run_index", "position", "standing"],
                name="task_frontier",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step.key} in {self.workstream}"

    @classmethod
    def of(cls, step: Step, workstream: Workstream, now: datetime) -> Self:
        """A pending task where its step stands, not stored yet."""
        return cls(
            workstream=workstream,
            step=step,
            batch_index=step.batch_index,
            thread_id=step.thread_id,
            run_index=step.run_index,
            position=step.position,
            created_at=now,
            updated_at=now,
        )

    @property
    def proof_shown(self) -> str:
        """What a complete task rests on; empty while it is open."""
        return self.proof if self.status == TaskStatus.COMPLETE else ""

    def forgive_failures(self) -> None:
        """No attempt so far counts for the circuit breaker any more; the caller saves."""
        self.forgiven = self.attempts.order_by("-number").values_list("number", flat=True).first() or 0
