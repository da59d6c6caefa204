"""What the interventions page shows (LC-6, LC-7)."""

from django.db.models import OuterRef, QuerySet, Subquery

from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, Intervention


def open_interventions() -> list[Intervention]:
    """Tasks that wait for a person, longest wait first."""
    return list(with_artifact(_with_task()).filter(cleared_at=None).order_by("raised_at", "pk"))


def cleared_interventions() -> QuerySet[Intervention]:
    return _with_task().exclude(cleared_at=None).select_related("cleared_by").order_by("-cleared_at", "-pk")


def with_artifact(rows: QuerySet[Intervention]) -> QuerySet[Intervention]:
    """Each with its choices, and with `artifact`, the damaged file that a card of that kind is about."""
    damaged = HandoffArtifact.objects.filter(attempt__task=OuterRef("task"), state=ArtifactState.DAMAGED)
    found = damaged.order_by("-sequence").values("pk")[:1]
    return rows.prefetch_related("choices").annotate(artifact=Subquery(found))


def _with_task() -> QuerySet[Intervention]:
    return Intervention.objects.select_related("task__step", "task__workstream")
