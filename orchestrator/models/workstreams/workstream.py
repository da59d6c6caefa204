"""Workstream: the unit that moves through one workflow version (FR-002)."""

import uuid

from django.conf import settings
from django.db import models

from orchestrator.core.terms import OPEN_WORKSTREAM, WorkstreamStatus
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.base.stored_row import StoredRow
from orchestrator.models.plans.bundle import Bundle
from orchestrator.models.plans.version import WorkflowVersion
from orchestrator.models.workstreams.flow import FlowColumns


class Workstream(StoredRow, FlowColumns):
    """A work item. Never deleted (LC-10); finished, accepted, blocked, stalled and oldies are derived (LC-1,
    LC-2).

    The three counters are maintained inside every act that changes a task. `last_round` and `last_artifact`
    number the scheduling decisions and the artifacts without gaps. `judged_on` names what the last round's
    verdicts rest on beside the tasks; while it is the same, a round looks only at what changed. `bundle` is
    what it was submitted with (AD-3), `merged_into` the workstream that goes on in its place (FR-003).
    `trouble` says why the last advance did not get through; it is empty when it did. `budget` is what a
    person set instead of the plan's; `over_budget` says which part of it was used up, at `over_budget_at`,
    and holds the workstream until a person has decided.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="workstreams")
    status = models.CharField(
        max_length=20, choices=choices(WorkstreamStatus), default=WorkstreamStatus.PLANNING
    )
    domain = models.CharField(max_length=60, blank=True, db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="owned_workstreams")
    priority = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    accepted_as = label(blank=True)
    open_tasks = models.PositiveIntegerField(default=0)
    done_tasks = models.PositiveIntegerField(default=0)
    blocked_tasks = models.PositiveIntegerField(default=0)
    last_round = models.PositiveIntegerField(default=0)
    last_artifact = models.PositiveIntegerField(default=0)
    judged_on = models.CharField(max_length=64, blank=True, editable=False)
    trouble = models.TextField(blank=True, editable=False)
    budget = models.CharField(max_length=200, blank=True)
    over_budget = models.TextField(blank=True, editable=False)
    over_budget_at = models.DateTimeField(null=True, blank=True, editable=False)
    bundle = models.ForeignKey(Bundle, models.PROTECT, null=True, blank=True, related_name="workstreams")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-priority", "created_at", "id"]
        constraints = [
            one_of("status", WorkstreamStatus, "workstream_status_known"),
            models.CheckConstraint(
                condition=~models.Q(status=WorkstreamStatus.COMPLETED) | models.Q(accepted_at__isnull=False),
                name="completed_means_accepted",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether its plan and its tasks may still change: it is neither accepted nor archived."""
        return self.status in OPEN_WORKSTREAM


class PreHandoffReview(models.Model):
    """The human review before any worker runs: duplicates looked at, with rationale (FR-003, AS-5)."""

    workstream = models.OneToOneField(Workstream, models.PROTECT, related_name="prehandoff")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_as = label()
    rationale = models.TextField()
    signed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Pre-handoff review of {self.workstream}"
