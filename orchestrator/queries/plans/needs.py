"""The needs that a plan names: which workstreams they mean, and what is wrong with them (AD-3)."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from django.db.models import QuerySet

from orchestrator.core.engine.workstream_needs import circle_through
from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, Reading, slugify
from orchestrator.core.terms import OPEN_WORKSTREAM, WorkstreamStatus
from orchestrator.models import Bundle, WorkflowVersion, Workstream, WorkstreamNeed

#: Endings of a file's name that are no part of what other plans of its bundle call it.
_ENDINGS = (".md", ".markdown", ".txt", ".plan")
#: Plans of one folder that are called by their numbers alone.
_NUMBERED: Final = re.compile(r"(\d[\d.]*(?:-\d+)*)-PLAN")


def stem_of(source_name: str) -> str:
    """What a file is called in `needs` of its bundle.

    `setup` for `setup.PLAN.md`, the folder for `setup/PLAN.md`, `01-02` for `01-02-PLAN.md`.
    """
    folder, _, name = source_name.rpartition("/")
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    if numbered := _NUMBERED.fullmatch(name):
        return numbered[1]
    return folder.rpartition("/")[2] if folder and name.lower() in {"plan", ""} else name


def needed_by_name(names: Collection[str], bundle: Bundle | None) -> dict[str, Workstream]:
    """Name -> workstream: a member of the same bundle first, then any slug.

    A merged one is the one it goes on in.
    """
    if not names:
        return {}
    by_slug = {row.slug: row for row in _rows().filter(slug__in=list(names))}
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
    """Slug -> the slugs it needs, among workstreams that are not closed.

    The needs of `without` are left out.
    """
    rows = WorkstreamNeed.objects.filter(
        workstream__status__in=OPEN_WORKSTREAM, needed__status__in=OPEN_WORKSTREAM
    )
    graph: dict[str, set[str]] = defaultdict(set)
    for one, needed in rows.values_list("workstream__slug", "needed__slug"):
        if without is None or one != without.slug:
            graph[one].add(needed)
    return graph


def need_findings(
    plan: Plan,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> list[Finding]:
    """What is wrong with `needs`, with its line: unknown or archived workstreams, a circle.

    `workstream` is the one the plan is for, `members` are names that the rest of its bundle will go by.
    """
    wanted = [name for name in plan.needs if name not in members]
    found = needed_by_name(wanted, bundle or (workstream.bundle if workstream else None))
    held = set(workstream.needs.values_list("needed_id", flat=True)) if workstream else set()
    judged = [_judged(name, found.get(name), held) for name in wanted]
    problems = [problem for problem in judged if problem]
    if not problems and workstream and (circle := circle_of_needs(workstream, found.values())):
        problems = [
            (
                "workstream-cycle",
                f"Workstreams need one another in a circle: {circle}.",
                "Take one need away.",
            )
        ]
    return [finding(code, plan.needs_line, message, fix) for code, message, fix in problems]


def with_needs(
    reading: Reading,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> Reading:
    """A reading with the findings about its needs; reads the database only when the plan has any."""
    if reading.plan is None or not reading.plan.needs:
        return reading
    found = need_findings(reading.plan, workstream, bundle, members)
    return replace(reading, findings=sort_findings([*reading.findings, *found]))


def _judged(name: str, found: Workstream | None, held: set[int]) -> tuple[str, str, str] | None:
    if found is None:
        message = f"The plan needs “{name[:80]}”, which is no workstream."
        return (
            "unknown-workstream",
            message,
            "Write the slug of a workstream, or submit both plans as one bundle.",
        )
    if found.status == WorkstreamStatus.ARCHIVED and found.pk not in held:
        message = f"The plan needs “{name[:80]}”, which is archived and will never be completed."
        return (
            "unknown-workstream",
            message,
            "Take the need away, or name the workstream that does the work instead.",
        )
    return None


def circle_of_needs(workstream: Workstream, needed: Collection[Workstream]) -> str:
    """The slugs of the circle that a workstream would close by needing these; empty when there is none."""
    graph = edges(without=workstream) | {workstream.slug: {one.slug for one in needed}}
    return " → ".join(circle_through(workstream.slug, graph))
