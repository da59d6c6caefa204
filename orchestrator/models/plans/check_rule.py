"""CheckRule: what a plan finding does to approval, where an approver changed the default (WF-3, FR-022)."""

from django.conf import settings
from django.db import models

from orchestrator.core.terms import Severity
from orchestrator.models.base.choices import choices, label, one_of


class CheckRule(models.Model):
    """The severity in force for one code, and the last change of it.

    All changes stand in the policy's change log.
    """

    code = models.SlugField(max_length=60, unique=True)
    severity = models.CharField(max_length=10, choices=choices(Severity))
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    changed_as = label()
    changed_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        ordering = ["code"]
        constraints = [one_of("severity", Severity, "check_rule_severity_known")]

    def __str__(self) -> str:
        return f"{self.code} {self.severity}"
