"""What the interventions page shows (LC-6, LC-7)."""

from django.db.models import QuerySet

from orchestrator.models import Intervention


def open_interventions() -> list[Intervention]:
    """Tasks that wait for a person, longest wait first."""
    return list(_with_task().filter(cleared_at=None).order_by("raised_at", "pk"))


def cleared_interventions() -> QuerySet[Intervention]:
    return _with_task().exclude(cleared_at=None).select_related("cleared_by").order_by("-cleared_at", "-pk")


def _with_task() -> QuerySet[Intervention]:
    return Intervention.objects.select_related("task__step", "task__workstream")
