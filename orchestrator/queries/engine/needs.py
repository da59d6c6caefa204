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


def all_needs() -> dict[int, tuple[str, ...]]:
    """Id -> the slugs it needs, of every workstream that needs any."""
    found: dict[int, list[str]] = defaultdict(list)
    for pk, slug in _needed_slugs():
        found[pk].append(slug)
    return {pk: tuple(slugs) for pk, slugs in found.items()}


def _needed_slugs() -> list[tuple[int, str]]:
    rows = WorkstreamNeed.objects.order_by("workstream_id", "needed__slug")
    return list(rows.values_list("workstream_id", "needed__slug"))


def needing(workstream: Workstream) -> list[Workstream]:
    """The workstreams that need this one, by slug."""
    rows = WorkstreamNeed.objects.filter(needed=workstream).select_related("workstream")
    return [row.workstream for row in rows.order_by("workstream__slug")]
