"""Attempt: one try at a task; Assignment: its exclusive pairing with an executor (FR-027)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from orchestrator.core.engine.proof import ProofWord
from orchestrator.core.engine.usage import Usage
from orchestrator.core.terms import LIVE_ATTEMPT, AttemptStatus
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.people.executor import Executor
from orchestrator.models.plans.step import Criterion
from orchestrator.models.work.task import Task

LIVE = [status.value for status in sorted(LIVE_ATTEMPT)]


class Attempt(models.Model):
    """Attempt `number` of a task; earlier ones are kept for ever. `input_digest` names what it works from
    (AD-7).

    A gate's attempt is never claimed: it stays queued until a person decides. `followed_up_at` says when a
    person decided what follows a failed attempt: until then its task stays blocked. `result` is the outcome's
    word that conditions ask for (AD-8). `same_as` names the earlier attempt whose result stands, because
    inputs and outputs are the same (FR-010). `base` is where the base branch stood at the first claim, in the
    plan's repository if that is at hand; `commit` descends from it. `adopted` marks work that was done before
    the plan came here: nobody claimed it (WF-8). `proof` says what a completion rests on. `verification` is
    that of the last completion that was handed in with one (BX-9). `behind` repeats its step's while it is
    queued, so that what unblocks most work is found by an index; `progress.recount` brings it up to date. The
    last six columns are what its executor said it used (FR-013): money in millionths, so that sums are exact.
    """

    task = models.ForeignKey(Task, models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=choices(AttemptStatus), default=AttemptStatus.QUEUED)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)
    proof = models.CharField(max_length=10, choices=choices(ProofWord), blank=True)
    result = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    commit = models.CharField(max_length=64, blank=True)
    base = models.CharField(max_length=64, blank=True)
    input_digest = models.CharField(max_length=64, blank=True)
    same_as = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    followed_up_at = models.DateTimeField(null=True, blank=True)
    adopted = models.BooleanField(default=False)
    verification = models.ForeignKey(
        "orchestrator.Verification", models.PROTECT, null=True, blank=True, related_name="+"
    )
    behind = models.PositiveIntegerField(default=0, editable=False)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    cost_micros = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    model = models.CharField(max_length=100, blank=True)
    model_seconds = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["task_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["task"], condition=Q(status__in=LIVE), name="one_live_attempt_per_task"
            ),
            one_of("status", AttemptStatus, "attempt_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=LIVE, ended_at__isnull=True)
                | (~Q(status__in=LIVE) & Q(ended_at__isnull=False)),
                name="ended_attempts_have_an_end",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "queued_at"]),
            models.Index(
                models.F("behind").desc(),
                "queued_at",
                "id",
                condition=Q(status=AttemptStatus.QUEUED.value),
                name="attempt_waits",
            ),
            models.Index(
                fields=["task"],
                condition=Q(status=AttemptStatus.FAILED.value, followed_up_at=None),
                name="attempt_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task.step.key} attempt {self.number}"

    @property
    def used(self) -> Usage:
        """What its executor said it used up to now."""
        return Usage(
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            micros=self.cost_micros,
            currency=self.currency,
            model=self.model,
            seconds=self.model_seconds,
        )


class Assignment(models.Model):
    """Who holds an attempt. `token` fences: calls with another token are refused (design section 4).

    While it is in force its executor holds nothing else, if it is held `alone`: people may hold several.
    """

    attempt = models.OneToOneField(Attempt, models.PROTECT, related_name="assignment")
    executor = models.ForeignKey(Executor, models.PROTECT, related_name="assignments")
    claimed_as = label()
    token = models.PositiveBigIntegerField()
    alone = models.BooleanField(default=True)
    claimed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    terminal_state = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["claimed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["executor"],
                condition=Q(released_at__isnull=True, alone=True),
                name="one_running_attempt_per_executor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt} held by {self.executor}"


class CriterionCheck(models.Model):
    """Evidence that an attempt meets a criterion.

    Checks belong to the attempt, so rework starts without any.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="checks")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="checks")
    evidence = models.TextField()
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    checked_as = label()
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["attempt_id", "criterion_id"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "criterion"], name="criterion_checked_once"),
            models.CheckConstraint(condition=~Q(evidence=""), name="check_has_evidence"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.evidence}"
