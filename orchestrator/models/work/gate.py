"""GateReview: a signed decision at a gate (FR-006)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from orchestrator.core.terms import GateDecision
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.plans.step import Step
from orchestrator.models.plans.version import WorkflowVersion
from orchestrator.models.work.attempt import Attempt


class GateReview(models.Model):
    """Approve or reject, with reason; a rejection names the step that work returns to (AS-6).

    `follow_up_version` is the new version of the plan that the follow-ups became (FR-006). A decision that
    waits has its time in `effective_at`; one that its person withdrew before (`withdrawn_at`) stays on record
    and counts no more.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_as = label()
    decision = models.CharField(max_length=10, choices=choices(GateDecision))
    reason = models.TextField(blank=True)
    follow_ups = models.TextField(blank=True)
    follow_up_version = models.ForeignKey(
        WorkflowVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    return_step = models.ForeignKey(Step, models.PROTECT, null=True, blank=True, related_name="+")
    signed_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["attempt", "reviewer"], condition=Q(withdrawn_at=None), name="one_signature_each"
            ),
            one_of("decision", GateDecision, "gate_decision_known"),
            models.CheckConstraint(
                condition=Q(decision=GateDecision.APPROVED) | (Q(return_step__isnull=False) & ~Q(reason="")),
                name="rejection_has_reason_and_return_step",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt} {self.decision} by {self.reviewer}"
