"""Executor: a member of the pool. Agents and tools do one attempt at a time, people may hold several.

Requirements: FR-027.
"""

from django.conf import settings
from django.db import models

from orchestrator.core.people.names import EXECUTOR_LENGTH, executor_label
from orchestrator.core.terms import ExecutorKind
from orchestrator.models.base.choices import choices, one_of


class Executor(models.Model):
    """Who claims. `user` is the account it acts for; history names the executor and the account.

    `skeleton` is equal for names that look alike (`core/people/names.py`), so no two executors have such
    names.
    """

    name = models.SlugField(max_length=EXECUTOR_LENGTH, unique=True)
    skeleton = models.CharField(max_length=EXECUTOR_LENGTH, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=choices(ExecutorKind))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="executors")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [one_of("kind", ExecutorKind, "executor_kind_known")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_person(self) -> bool:
        return self.kind == ExecutorKind.PERSON

    @property
    def label(self) -> str:
        """The executor, what it is, and the account that answers for it, in the words of every page."""
        return executor_label(self.name, self.kind, self.user.get_username())


class AccessToken(models.Model):
    """A scoped secret an executor signs in with: stored as a keyed hash, shown once (design section 7).

    Without `expires_at` it works until it is revoked.
    """

    executor = models.ForeignKey(Executor, models.PROTECT, related_name="tokens")
    label = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Written at most once a minute.
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.label} ({self.executor})"

    @property
    def scope_set(self) -> frozenset[str]:
        return frozenset(self.scopes.split())
