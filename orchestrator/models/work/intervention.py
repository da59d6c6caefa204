"""Intervention: a question to a person, with its choices and its answer (LC-6, LC-7)."""

from django.conf import settings
from django.db import models

from orchestrator.core.terms import InterventionKind
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.work.task import Task


class Intervention(models.Model):
    """A needs-human flag with its note and its answer; at most one is open per task (LC-6, LC-7)."""

    task = models.ForeignKey(Task, models.PROTECT, related_name="interventions")
    kind = models.CharField(
        max_length=20, choices=choices(InterventionKind), default=InterventionKind.QUESTION
    )
    note = models.TextField()
    raised_by = label()
    raised_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    cleared_as = label(blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task"], condition=models.Q(cleared_at__isnull=True), name="one_open_intervention"
            ),
            models.CheckConstraint(condition=~models.Q(note=""), name="intervention_has_a_note"),
            one_of("kind", InterventionKind, "intervention_kind_known"),
        ]

    def __str__(self) -> str:
        return f"Intervention on {self.task}"


class InterventionChoice(models.Model):
    """An answer that a question offers; a question with choices is answered with one of them."""

    intervention = models.ForeignKey(Intervention, models.PROTECT, related_name="choices")
    position = models.PositiveIntegerField()
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ["intervention_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["intervention", "position"], name="choice_position_once"),
            models.UniqueConstraint(fields=["intervention", "text"], name="choice_text_once"),
        ]

    def __str__(self) -> str:
        return self.text
