"""What workstreams need of one another (AD-3); which one a name in a plan means: `queries/plans/needs.py`."""

from collections import defaultdict
from collections.abc import Iterable

from orchestrator.models import Workstream, WorkstreamNeed


def needs_of(workstreams: Iterable[int]) -> dict[int, list[Workstream]]:
    """Id -> what it needs, by slug, in one query for any number of workstreams."""
    rows = WorkstreamNeed.objects.filter(workstream__in=list(workstreams)).select_related("needed")
    found: dict[int, list[Workstream]] = defaultdict(list)
    for row in rows.order_by("workstream_id", "needed__slug"):
        found[row.workstream_id].append(row.needed)
    return found


def needing(workstream: Workstream) -> list[Workstream]:
    """The workstreams that need this one, by slug."""
    rows = WorkstreamNeed.objects.filter(needed=workstream).select_related("workstream")
    return [row.workstream for row in rows.order_by("workstream__slug")]
