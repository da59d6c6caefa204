"""Step: the unit of definition in a thread, with what it needs, uses and must prove (FR-001)."""

from django.db import models

from orchestrator.core.terms import CriterionKind, GateKind, StepKind
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.base.ordering import ByCodePoint
from orchestrator.models.plans.structure import Thread
from orchestrator.models.plans.version import WorkflowVersion


class Step(models.Model):
    """One definition. A gate is a step that a person decides; `gate_kind` is set exactly for gates.

    `signatures` is how many people sign a gate, 0 for one each of its reviewers. `outcomes` are the words,
    joined by commas, that a completion may carry. `max_attempts`, `may_add` and `added_by` stand in
    `core.plan.StepSpec`.

    `position` is the place inside the thread; with stage and batch position it is the order index of FR-005.
    `batch_index` counts the batches of the version from 0, `run_index` the runs of its thread: a step of its
    own, or neighbouring parallel steps, which share one. `estimate` is in minutes, 0 when the plan gives
    none. `verify` is the line that proves it, `gate_verify` that of its gate (`core/engine/verification.py`).
    `budget` is what it may use (`core/engine/budgets.py`).
    `line` is the line of the version's source. `behind` counts the steps that come after it by need, by
    thread or by batch.
    """

    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="steps")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField()
    batch_index = models.PositiveIntegerField(default=0)
    run_index = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=80)
    title = models.CharField(max_length=300)
    details = models.TextField(blank=True)
    kind = models.CharField(max_length=10, choices=choices(StepKind), default=StepKind.WORK)
    gate_kind = models.CharField(max_length=20, choices=choices(GateKind), blank=True)
    gate_action = models.TextField(blank=True)
    role = models.CharField(max_length=20, blank=True)
    tool = models.CharField(max_length=60, blank=True)
    run = models.CharField(max_length=500, blank=True)
    verify = models.CharField(max_length=500, blank=True)
    gate_verify = models.CharField(max_length=500, blank=True)
    budget = models.CharField(max_length=200, blank=True)
    parallel = models.BooleanField(default=False)
    condition = models.CharField(max_length=300, blank=True)
    estimate = models.PositiveIntegerField(default=0)
    signatures = models.PositiveIntegerField(default=1)
    outcomes = models.CharField(max_length=300, blank=True)
    max_attempts = models.PositiveIntegerField(default=0)
    may_add = models.PositiveIntegerField(default=0)
    added_by = models.CharField(max_length=80, blank=True)
    line = models.PositiveIntegerField(default=0)
    behind = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = [
            "version",
            "thread__batch__stage__position",
            "thread__batch__position",
            "position",
            ByCodePoint("key"),
        ]
        indexes = [models.Index(fields=["version", "batch_index", "condition"], name="step_conditions")]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="step_key_once"),
            models.UniqueConstraint(fields=["thread", "position"], name="step_position_once"),
            one_of("kind", StepKind, "step_kind_known"),
            models.CheckConstraint(
                condition=models.Q(kind=StepKind.GATE, gate_kind__in=[k.value for k in GateKind])
                | models.Q(kind=StepKind.WORK, gate_kind=""),
                name="gate_kind_for_gates_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"

    @property
    def is_gate(self) -> bool:
        return self.kind == StepKind.GATE

    @property
    def outcome_words(self) -> tuple[str, ...]:
        """The words that a completion may carry, the usual one first (AD-8)."""
        return tuple(self.outcomes.split(", ")) if self.outcomes else ()


class StepNeed(models.Model):
    """An explicit dependency (AD-1); `inferred` when a reader derived it."""

    step = models.ForeignKey(Step, models.PROTECT, related_name="needs")
    needed = models.ForeignKey(Step, models.PROTECT, related_name="needed_by")
    inferred = models.BooleanField(default=False)

    class Meta:
        ordering = ["step_id", "needed_id"]
        constraints = [
            models.UniqueConstraint(fields=["step", "needed"], name="need_once"),
            models.CheckConstraint(condition=~models.Q(step=models.F("needed")), name="need_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.step} needs {self.needed}"


class Criterion(models.Model):
    """An entry or exit criterion, or a line of the definition of done, in the plan's words."""

    step = models.ForeignKey(Step, models.PROTECT, related_name="criteria")
    kind = models.CharField(max_length=10, choices=choices(CriterionKind))
    position = models.PositiveIntegerField()
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["step_id", "kind", "position"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["step", "kind", "position"], name="criterion_position_once"),
            one_of("kind", CriterionKind, "criterion_kind_known"),
        ]

    def __str__(self) -> str:
        return self.text


class StepResource(models.Model):
    """What a step holds while it runs: a named resource, or a glob of files it touches (`is_files`)."""

    step = models.ForeignKey(Step, models.PROTECT, related_name="resources")
    name = models.CharField(max_length=300)
    is_files = models.BooleanField(default=False)

    class Meta:
        ordering = ["step_id", "name"]
        constraints = [
            models.UniqueConstraint(fields=["step", "name", "is_files"], name="step_resource_once")
        ]

    def __str__(self) -> str:
        return self.name


class GateReviewer(models.Model):
    """Who may sign a gate: a role or a user name, as the plan says it."""

    step = models.ForeignKey(Step, models.PROTECT, related_name="reviewers")
    name = models.CharField(max_length=150)

    class Meta:
        ordering = ["step_id", "name"]
        constraints = [models.UniqueConstraint(fields=["step", "name"], name="gate_reviewer_once")]

    def __str__(self) -> str:
        return self.name
