"""Workstreams as their acts would have left their flow, many at once."""

import random
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from orchestrator.core.terms import FlowState, VersionStatus, WorkstreamStatus
from orchestrator.models import StateInterval, Workflow, WorkflowVersion, Workstream

STATUS = {
    FlowState.PLANNED: WorkstreamStatus.PLANNING,
    FlowState.ACCEPTED: WorkstreamStatus.COMPLETED,
    FlowState.ARCHIVED: WorkstreamStatus.ARCHIVED,
}


def versions(owner: User, now: datetime, names: list[str]) -> list[WorkflowVersion]:
    made = []
    for name in names:
        workflow = Workflow.objects.create(slug=name, name=name, created_by=owner, created_at=now)
        made.append(
            WorkflowVersion.objects.create(
                workflow=workflow,
                number=1,
                status=VersionStatus.APPROVED,
                source="# Plan",
                source_sha256="0" * 64,
                author=owner,
                submitted_at=now,
            )
        )
    return made


def flow_rows(owners: list[User], now: datetime, count: int, seed: int = 7) -> list[Workstream]:
    """So many workstreams with random times within a year; a third is in progress, few are only planned."""
    chance = random.Random(seed)
    workflows = versions(owners[0], now - timedelta(days=400), ["refunds", "search", "login"])
    rows = [_row(chance, number, now, owners, workflows) for number in range(count)]
    Workstream.objects.bulk_create(rows)
    StateInterval.objects.bulk_create(
        StateInterval(
            workstream=row, state=FlowState.STARTED, began_at=row.started_at, ended_at=row.finished_at
        )
        for row in rows
        if row.finished_at
    )
    return rows


def _row(
    chance: random.Random, number: int, now: datetime, owners: list[User], workflows: list[WorkflowVersion]
) -> Workstream:
    created = now - timedelta(seconds=chance.randrange(86_400, 200 * 86_400))
    started = created + (now - created) * chance.uniform(0.01, 0.3)
    finished = started + min(now - started, timedelta(days=chance.lognormvariate(1.8, 0.8))) * 0.99
    kind = chance.choice(
        [*[FlowState.FINISHED] * 3, *[FlowState.ACCEPTED] * 4, *[FlowState.STARTED] * 2, "planned"]
    )
    done = kind in (FlowState.FINISHED, FlowState.ACCEPTED)
    under_way = done or kind == FlowState.STARTED
    cycle = finished - started
    blocked = cycle * chance.uniform(0, 0.4) if chance.random() < 0.3 else timedelta(0)
    return Workstream(
        slug=f"item-{number}",
        title=f"Item {number}",
        version=chance.choice(workflows),
        status=STATUS.get(kind, WorkstreamStatus.ACTIVE),
        domain=chance.choice(["", "payments", "search"]),
        owner=chance.choice(owners),
        created_at=created,
        updated_at=finished if done else now,
        started_at=started if under_way else None,
        finished_at=finished if done else None,
        accepted_at=finished if kind == FlowState.ACCEPTED else None,
        first_finished_at=finished if done else None,
        first_accepted_at=finished if kind == FlowState.ACCEPTED else None,
        flow_state=kind,
        flow_since=finished if done else started if under_way else created,
        active_time=cycle * 0.5 if under_way else timedelta(0),
        blocked_time=blocked if under_way else timedelta(0),
        back_moves=chance.choice([0, 0, 0, 1, 2]) if under_way else 0,
        open_tasks=0 if done else 3,
        done_tasks=5 if done else 0,
    )
