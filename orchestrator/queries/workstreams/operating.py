"""Figures for whoever operates the installation, in a fixed number of statements."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Max, Q
from django_q.models import OrmQ

from orchestrator.core.people.topics import DeliveryState
from orchestrator.models import Assignment, Delivery, Executor, HistoryEntry

#: Notifications with trouble that are shown.
TROUBLED = 20


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Messages that wait, and since when the oldest does; both are empty when nothing waits."""

    depth: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """Notifications that wait and that failed for good, and the newest that met trouble."""

    waiting: int
    failed: int
    troubled: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class ExecutorFigures:
    """An executor, when it was last heard of (a token used, a claim, a release), and what it holds."""

    executor: Executor
    heard_at: datetime | None
    held: tuple[Assignment, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """The database's kind with its version, and the bytes that it takes; 0 when it does not tell."""

    name: str
    size: int


def queue_figures() -> QueueFigures:
    """Two statements; django-q2 keeps the time of sending in the message itself."""
    oldest = OrmQ.objects.order_by("pk").first()
    return QueueFigures(OrmQ.objects.count(), _sent_at(oldest) if oldest else None)


def delivery_figures() -> DeliveryFigures:
    """Two statements."""
    live = Delivery.objects.filter(subscription__ended_at=None)
    figures = live.aggregate(
        waiting=Count("pk", filter=Q(state=DeliveryState.WAITING)),
        failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
    )
    troubled = live.exclude(problem="").select_related(
        "subscription__person", "subscription__executor", "entry"
    )
    return DeliveryFigures(figures["waiting"], figures["failed"], tuple(troubled[:TROUBLED]))


def _sent_at(message: OrmQ) -> datetime | None:
    """None for a message that nobody here signed: django-q2 reads it as one without a time."""
    sent = message.task.get("started")
    return sent if isinstance(sent, datetime) else None


def executor_figures() -> list[ExecutorFigures]:
    """Two statements, whatever the pool: those who hold something first, then whoever was heard of last.

    `tokens` counts those that are not revoked.
    """
    executors = Executor.objects.select_related("user").annotate(
        used=Max("tokens__last_used_at"),
        claimed=Max("assignments__claimed_at"),
        released=Max("assignments__released_at"),
        live=Count("tokens", filter=Q(tokens__revoked_at=None), distinct=True),
    )
    live = Assignment.objects.filter(released_at=None).select_related(
        "attempt__task__step", "attempt__task__workstream"
    )
    held: dict[int, list[Assignment]] = defaultdict(list)
    for row in live.order_by("claimed_at", "pk"):
        held[row.executor_id].append(row)
    figures = [
        ExecutorFigures(one, _heard(one), tuple(held[one.pk]), one.live) for one in executors.order_by("name")
    ]
    return sorted(figures, key=_turn)


def _turn(figures: ExecutorFigures) -> tuple[bool, float]:
    return not figures.held, -figures.heard_at.timestamp() if figures.heard_at else 0.0


def _heard(executor: Executor) -> datetime | None:
    moments = (getattr(executor, name) for name in ("used", "claimed", "released"))
    return max((moment for moment in moments if moment), default=None)


def last_entry() -> HistoryEntry | None:
    """The end of the history's chain: its number and hash prove later that nothing before was changed."""
    return HistoryEntry.objects.order_by("-sequence").first()


def database_figures() -> DatabaseFigures:
    """Two statements."""
    asked = (
        ("SELECT sqlite_version()", "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        if connection.vendor == "sqlite"
        else ("SHOW server_version", "SELECT pg_database_size(current_database())")
    )
    answers = []
    with connection.cursor() as cursor:
        for statement in asked:
            cursor.execute(statement)
            answers.append(cursor.fetchone()[0])
    return DatabaseFigures(f"{connection.display_name} {answers[0]}", int(answers[1]))
