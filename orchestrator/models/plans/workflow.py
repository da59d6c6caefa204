"""Workflow: a named blueprint; its text lives in numbered versions (FR-001)."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from orchestrator.core.engine.proof import ProofRule
from orchestrator.core.plans.text.front_matter import MOST_APPROVALS


class Workflow(models.Model):
    """A blueprint. `allow_self_approval` lets the author of a version approve it (design section 7).

    `required_approvals` is how many different approvers have to approve a version before it counts (WF-3).
    `demands_proof` refuses completions that no command verifies (BX-9); `proof_roles` and `proof_paths` do so
    of steps with these roles and of those that own files there, each several with commas between.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=60, blank=True)
    allow_self_approval = models.BooleanField(default=False)
    required_approvals = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_APPROVALS)]
    )
    demands_proof = models.BooleanField(default=False)
    proof_roles = models.CharField(max_length=200, blank=True)
    proof_paths = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(required_approvals__gte=1, required_approvals__lte=MOST_APPROVALS),
                name="required_approvals_in_range",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def proof_rule(self) -> ProofRule:
        """Which completions take proof only."""
        roles, paths = (text.split(", ") if text else [] for text in (self.proof_roles, self.proof_paths))
        return ProofRule(self.demands_proof, tuple(roles), tuple(paths))
