"""IdempotencyKey: the answer a call was given, kept so that its repetition has no second effect (AD-7)."""

from django.db import models

from orchestrator.models.people.executor import Executor


class IdempotencyKey(models.Model):
    """The answer already given to a call: the same call twice answers as the first time (design section 4).

    `status` is 0 until there is an answer. A call of several transactions has a row for each step that was
    done as well, named in `step`; its answer is the id of what the step made.
    """

    executor = models.ForeignKey(Executor, models.PROTECT, related_name="+")
    key = models.CharField(max_length=120)
    step = models.CharField(max_length=80, blank=True, default="")
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["executor", "created_at"])]
        constraints = [
            models.UniqueConstraint(fields=["executor", "key", "step"], name="idempotency_key_once")
        ]

    def __str__(self) -> str:
        return self.key
