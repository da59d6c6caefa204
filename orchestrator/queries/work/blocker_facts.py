"""What machines read of blockers (FR-012)."""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.contract.blockers import BlockerFacts, BlockerList, ImpactFacts
from orchestrator.core.engine.impact import blocked_time
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import BlockerKind
from orchestrator.models import Blocker
from orchestrator.queries.base.asked import refuse_no_workstream, refuse_other, usernames
from orchestrator.queries.work.blockers import BlockerFilter, BlockerRow, blocker_rows, blockers


def list_blockers(wanted: BlockerFilter, now: datetime, *, limit: int = 100, offset: int = 0) -> BlockerList:
    """InvalidInput for an owner or a workstream that there is none of."""
    if wanted.owner:
        refuse_other("owner", wanted.owner, usernames())
    if wanted.workstream:
        refuse_no_workstream(wanted.workstream)
    found = blockers(wanted)
    spans = found.values_list("declared_at", "resolved_at")
    blocked = blocked_time((start, end or now) for start, end in spans)
    return BlockerList(found.count(), int(blocked.total_seconds()), _all(found[offset : offset + limit], now))


def find_blocker(blocker_id: int, now: datetime) -> BlockerFacts:
    found = _all(blockers(BlockerFilter(state="all")).filter(pk=blocker_id), now)
    if not found:
        raise NotFound("There is no such blocker.")
    return found[0]


def _all(found: Iterable[Blocker], now: datetime) -> tuple[BlockerFacts, ...]:
    return tuple(_facts(row) for row in blocker_rows(found, now))


def _facts(row: BlockerRow) -> BlockerFacts:
    one, impact = row.blocker, row.impact
    return BlockerFacts(
        id=one.pk,
        task=one.task_id,
        key=one.task.step.key,
        workstream=one.task.workstream.uuid,
        workstream_slug=one.task.workstream.slug,
        kind=BlockerKind(one.kind),
        note=one.note,
        owner=one.owner.get_username(),
        declared_by=one.declared_as,
        declared_at=one.declared_at,
        resolved_by=one.resolved_as,
        resolved_at=one.resolved_at,
        resolution=one.resolution,
        seconds=int(row.lasted.total_seconds()),
        impact=ImpactFacts(impact.delayed, impact.minutes, impact.critical) if impact else None,
    )
