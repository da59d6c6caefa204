"""Who is responsible, and which executor works in a thread (FR-011, WF-4)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from orchestrator.core.terms import AssignmentMode
from orchestrator.models.base.choices import choices, label, one_of
from orchestrator.models.people.executor import Executor
from orchestrator.models.plans.structure import Thread
from orchestrator.models.work.blocker import Blocker
from orchestrator.models.work.task import Task
from orchestrator.models.workstreams.workstream import Workstream


class OwnershipTransfer(models.Model):
    """Ownership of a workstream, one of its tasks, or a blocker on one passed from one person to another."""

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="transfers")
    task = models.ForeignKey(Task, models.PROTECT, null=True, blank=True, related_name="transfers")
    blocker = models.ForeignKey(Blocker, models.PROTECT, null=True, blank=True, related_name="transfers")
    from_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    transferred_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    transferred_as = label()
    transferred_at = models.DateTimeField()

    class Meta:
        ordering = ["transferred_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="transfer_has_a_reason")]

    def __str__(self) -> str:
        return f"{self.task or self.workstream} to {self.to_user}"


class ThreadAssignment(models.Model):
    """An executor that alone claims in a thread, or is offered its work first.

    At most one in force per thread.
    """

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="thread_assignments")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="assignments")
    executor = models.ForeignKey(Executor, models.PROTECT, related_name="thread_assignments")
    mode = models.CharField(max_length=10, choices=choices(AssignmentMode))
    reason = models.TextField(blank=True)
    assigned_by = label()
    assigned_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["workstream_id", "thread_id", "assigned_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workstream", "thread"],
                condition=Q(ended_at__isnull=True),
                name="one_executor_per_thread",
            ),
            one_of("mode", AssignmentMode, "assignment_mode_known"),
        ]

    def __str__(self) -> str:
        return f"{self.thread} {self.mode} to {self.executor}"
