"""Verification: a completion that was handed in and counts when its command is green (BX-9)."""

from django.db import models

from orchestrator.core.terms import VerificationState
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.people.executor import Executor
from orchestrator.models.work.attempt import Attempt


class Verification(models.Model):
    """What was handed in, as it will count, and the receipt of the run that decides.

    `tool` and `run` are the command, `source` says who asked for it. From `token` to `touched` stands what
    the completion said, `outputs` in base64; `in_person` that its person acted in the browser. `begun_at` is
    when the run was begun last, `runs` how often: a killed one is taken up again. From `exit_code` to
    `log_end` stands the receipt; `problem` says why a completion did not count.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="verifications")
    state = models.CharField(
        max_length=20, choices=choices(VerificationState), default=VerificationState.PENDING
    )
    tool = models.CharField(max_length=60)
    run = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=60)
    executor = models.ForeignKey(Executor, models.PROTECT, related_name="+")
    in_person = models.BooleanField(default=False)
    token = models.PositiveBigIntegerField()
    outcome = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    outputs = models.JSONField(default=dict)
    result = models.CharField(max_length=60, blank=True)
    commit = models.CharField(max_length=64)
    committed = models.BooleanField(default=False)
    touched = models.JSONField(default=list)
    asked_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)
    runs = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    tree = models.CharField(max_length=64, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    log = models.CharField(max_length=64, blank=True)
    log_end = models.TextField(blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            one_of("state", VerificationState, "verification_state_known"),
            models.UniqueConstraint(
                fields=["attempt"],
                condition=models.Q(state=VerificationState.PENDING.value),
                name="one_pending_verification",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.command} at {self.commit[:12]}"

    @property
    def command(self) -> str:
        return f"{self.tool} {self.run}".strip()

    @property
    def seconds(self) -> str:
        return f"{self.milliseconds / 1000:.1f}"

    @property
    def is_pending(self) -> bool:
        return self.state == VerificationState.PENDING

    @property
    def proved(self) -> bool:
        return self.state == VerificationState.PROVED
