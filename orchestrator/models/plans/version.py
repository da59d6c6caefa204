"""WorkflowVersion: one immutable numbered text of a workflow and what was decided about it.

Requirements: FR-016, FR-022.
"""

from django.conf import settings
from django.db import models

from orchestrator.core.terms import Format, VersionStatus
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.plans.workflow import Workflow


class WorkflowVersion(models.Model):
    """The reviewable contract. `source_sha256` is what a decision is bound to; the text never changes.

    `workstream` is the one that the version was submitted for; approving it migrates that one (FR-016).
    `mapping` is what its approver decided about that one's steps, kept until a later `effective_at` has
    come; `signs_gate` is the evaluation that its author signs then (WF-5). `format` says how the text
    reads; it is kept as it was submitted, so that lines of findings stand. With `adopts`, the state that
    the source tells of its tasks is taken over when they are created (`core.adoption`). `dropped_needs`
    are pairs of a step and what it waits for, without which the text is read because a reviewer dropped
    them from the version before; like the text they never change (AD-1). `change_impact` says what the
    change means for those who work by the plan (FR-022). `wanted_effective_at` is what its submitter asks
    for, `effective_at` what its approver decided. `steps_planned` counts the steps of the text, which are
    rows once it is in force, `open_questions` what the text leaves to be answered. `started_from` is the
    workflow of the library that the text was made from, with its number (0 for a shipped one). `origin`
    is the text that was opened as PLAN.md before it was submitted, as it was given, and `origin_name`
    what it was called; empty when the text is its own. `verify` is the line that proves steps that name
    none (BX-9). `budget` is what all steps may use together; after `silence_minutes` a person is asked about
    who says nothing, 0 for never, null for what the operator set.
    """

    workflow = models.ForeignKey(Workflow, models.PROTECT, related_name="versions")
    workstream = models.ForeignKey(
        "orchestrator.Workstream", models.PROTECT, null=True, blank=True, related_name="submitted_versions"
    )
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=choices(VersionStatus), default=VersionStatus.IN_REVIEW)
    source = models.TextField()
    format = models.CharField(max_length=20, choices=choices(Format), default=Format.PLAN)
    source_name = models.CharField(max_length=200, default="PLAN.md")
    source_sha256 = models.CharField(max_length=64)
    adopts = models.BooleanField(default=False)
    dropped_needs = models.JSONField(default=list, blank=True, editable=False)
    summary = models.TextField(blank=True)
    steps_planned = models.PositiveIntegerField(default=0, editable=False)
    open_questions = models.PositiveIntegerField(default=0, editable=False)
    repository = models.CharField(max_length=100, blank=True)
    base_branch = models.CharField(max_length=100, default="main")
    verify = models.CharField(max_length=500, blank=True)
    budget = models.CharField(max_length=200, blank=True)
    silence_minutes = models.PositiveIntegerField(null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_as = label()
    change_reason = models.TextField(blank=True)
    change_impact = models.TextField(blank=True)
    wanted_effective_at = models.DateTimeField(null=True, blank=True)
    started_from = models.CharField(max_length=60, blank=True, db_index=True)
    origin = models.TextField(blank=True, editable=False)
    origin_name = models.CharField(max_length=200, blank=True, editable=False)
    started_from_number = models.PositiveIntegerField(default=0)
    submitted_at = models.DateTimeField()
    signs_gate = models.CharField(max_length=80, blank=True, editable=False)
    mapping = models.JSONField(default=list, blank=True, editable=False)
    effective_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_as = label(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["workflow_id", "-number"]
        # The watch asks twice a second which time has come.
        indexes = [models.Index(fields=["effective_at"], name="version_effective_at")]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="version_number_once"),
            one_of("status", VersionStatus, "version_status_known"),
            one_of("format", Format, "version_format_known"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} v{self.number}"
