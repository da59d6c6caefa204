"""What workstreams need of one another, and which workstream a name in a plan means (AD-3)."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from orchestrator.core.plans.plan import slugify
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Bundle, WorkflowVersion, Workstream, WorkstreamNeed
from orchestrator.queries.base.prepared import Prepared

OPEN = (WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE)
#: Endings of a file's name that are no part of what other plans of its bundle call it.
_ENDINGS = (".md", ".markdown", ".txt", ".plan")


def stem_of(source_name: str) -> str:
    """What a file is called in `needs` of its bundle: `setup` for `setup.PLAN.md`, the folder for
    `setup/PLAN.md`.
    """
    folder, _, name = source_name.rpartition("/")
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return folder.rpartition("/")[2] if folder and name.lower() in {"plan", ""} else name


def needed_by_name(names: Collection[str], bundle: Bundle | None) -> dict[str, Workstream]:
    """Name -> workstream: a member of the same bundle first, then any slug; a merged one is the one it goes
    on in.
    """
    if not names:
        return {}
    by_slug = {one.slug: one for one in _rows().filter(slug__in=list(names))}
    found = by_slug | (_members(bundle) if bundle else {})
    return {name: gone_on_in(found[name]) for name in names if name in found}


def gone_on_in(workstream: Workstream) -> Workstream:
    """The workstream that a merged one goes on in; itself when it was not merged (FR-003)."""
    seen = {workstream.pk}
    while workstream.merged_into is not None and workstream.merged_into.pk not in seen:
        workstream = workstream.merged_into
        seen.add(workstream.pk)
    return workstream


def _members(bundle: Bundle) -> dict[str, Workstream]:
    """By file, by title and by slug; the later of these wins where two members would go by the same name."""
    rows = list(_rows().filter(bundle=bundle).order_by("-pk"))
    first = WorkflowVersion.objects.filter(workflow__in=[row.version.workflow_id for row in rows], number=1)
    files = dict(first.values_list("workflow_id", "source_name"))
    titles = {slugify(row.version.workflow.name): row for row in rows}
    stems = {stem_of(files.get(row.version.workflow_id, "")): row for row in rows}
    return stems | titles | {row.slug: row for row in rows}


def _rows() -> QuerySet[Workstream]:
    return Workstream.objects.select_related("version__workflow", "merged_into")


def edges(*, without: Workstream | None = None) -> dict[str, set[str]]:
    """Slug -> the slugs it needs, among workstreams that are not closed; the needs of `without`
    are left out.
    """
    rows = WorkstreamNeed.objects.filter(workstream__status__in=OPEN, needed__status__in=OPEN)
    graph: dict[str, set[str]] = defaultdict(set)
    for one, needed in rows.values_list("workstream__slug", "needed__slug"):
        if without is None or one != without.slug:
            graph[one].add(needed)
    return graph


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


@Prepared
def _needed_slugs() -> QuerySet[WorkstreamNeed, tuple[int, str]]:
    rows = WorkstreamNeed.objects.order_by("workstream_id", "needed__slug")
    return rows.values_list("workstream_id", "needed__slug")


def needing(workstream: Workstream) -> list[Workstream]:
    """The workstreams that need this one, by slug."""
    rows = WorkstreamNeed.objects.filter(needed=workstream).select_related("workstream")
    return [row.workstream for row in rows.order_by("workstream__slug")]
