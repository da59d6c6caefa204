"""Who answers for what, and how that passed on (FR-011)."""

from django.contrib.auth.models import User
from django.db.models import QuerySet

from orchestrator.contract.ownership import OwnershipFacts, TransferFacts
from orchestrator.models import OwnershipTransfer, Task, Workstream


def people() -> list[str]:
    """User names of those who can own something."""
    return list(User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True))


def transfers_of(workstream: Workstream, task: Task | None = None) -> QuerySet[OwnershipTransfer]:
    """The log of a workstream itself or of one task, newest first; those of its blockers are left out."""
    rows = OwnershipTransfer.objects.select_related("from_user", "to_user", "transferred_by")
    return rows.filter(workstream=workstream, task=task, blocker=None).order_by("-transferred_at", "-pk")


def task_ownership(task_id: int) -> OwnershipFacts:
    task = Task.objects.select_related("step__thread", "workstream", "owner").get(pk=task_id)
    role = task.step.role or task.step.thread.owner_role
    return OwnershipFacts(
        role, task.owner.get_username() if task.owner else "", _facts(task.workstream, task)
    )


def workstream_ownership(workstream: Workstream) -> OwnershipFacts:
    return OwnershipFacts("", workstream.owner.get_username(), _facts(workstream))


def _facts(workstream: Workstream, task: Task | None = None) -> tuple[TransferFacts, ...]:
    return tuple(
        TransferFacts(
            transfer.from_user.get_username() if transfer.from_user else "",
            transfer.to_user.get_username(),
            transfer.reason,
            transfer.transferred_as,
            transfer.transferred_at,
        )
        for transfer in transfers_of(workstream, task)
    )
