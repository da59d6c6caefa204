"""Every version of a plan with what it changed, what was decided and who works by it (FR-016, FR-022)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchestrator.core.plans.compare import StepChange, compare_plans
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Migration, Workflow, WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import versions_in_effect
from orchestrator.queries.plans.readings import reading_of

#: Versions on a page: each is compared with the one before it.
PER_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class StepCounts:
    """How many steps and gates a version adds, changes and drops against the one before it."""

    added: int = 0
    changed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Follower:
    """A workstream that runs on a version. `target` is the number of the version in effect that it could be
    migrated to, 0 for none; `back` the number of the one that its latest migration came from."""

    workstream: Workstream
    target: int = 0
    back: int = 0


@dataclass(frozen=True, slots=True)
class VersionRow:
    """`steps` is None when one of the two texts can no longer be read.

    `before` is 0 for the first version.
    """

    version: WorkflowVersion
    before: int
    steps: StepCounts | None
    followers: tuple[Follower, ...]
    in_effect: bool
    waits_for_its_date: bool


def version_rows(workflow: Workflow, versions: Sequence[WorkflowVersion], now: datetime) -> list[VersionRow]:
    """The given versions, newest first, each against the one before it."""
    newest = next((one.number for one in versions_in_effect(workflow.pk, now)), 0)
    followers = _followers(versions, newest)
    before = {one.number: one for one in _before(workflow, versions)}
    rows = []
    for version in reversed(versions):
        earlier = before.get(version.number - 1)
        later = version.effective_at is not None and version.effective_at > now
        rows.append(
            VersionRow(
                version=version,
                before=earlier.number if earlier else 0,
                steps=_counts(earlier, version),
                followers=tuple(followers.get(version.pk, ())),
                in_effect=version.number == newest,
                waits_for_its_date=later,
            )
        )
    return rows[::-1]


def _before(workflow: Workflow, versions: Sequence[WorkflowVersion]) -> Iterator[WorkflowVersion]:
    """The versions themselves and the one before the oldest of them."""
    yield from versions
    if versions and versions[-1].number > 1:
        yield from WorkflowVersion.objects.filter(workflow=workflow, number=versions[-1].number - 1)


def _counts(before: WorkflowVersion | None, version: WorkflowVersion) -> StepCounts | None:
    plan = reading_of(version).plan
    if before is None:
        return StepCounts(added=sum(1 for _ in plan.steps())) if plan else None
    old = reading_of(before).plan
    return _counted(compare_plans(old, plan).steps) if old and plan else None


def _counted(steps: Sequence[StepChange]) -> StepCounts:
    kinds = [step.kind for step in steps]
    return StepCounts(kinds.count("added"), kinds.count("changed"), kinds.count("dropped"))


def _followers(versions: Sequence[WorkflowVersion], newest: int) -> dict[int, list[Follower]]:
    found: dict[int, list[Follower]] = {}
    rows = list(Workstream.objects.filter(version__in=versions).select_related("version").order_by("pk"))
    back = _ways_back(rows)
    for row in rows:
        moves = row.status == WorkstreamStatus.ACTIVE
        target = newest if moves and row.version.number < newest else 0
        found.setdefault(row.version_id, []).append(
            Follower(row, target, back.get(row.pk, 0) if moves else 0)
        )
    return found


def _ways_back(workstreams: Sequence[Workstream]) -> dict[int, int]:
    """By workstream, the number of the version that its latest migration, unless rolled back, came from."""
    rows = Migration.objects.filter(workstream__in=workstreams, rolls_back=None, rolled_back_by=None)
    ordered = rows.order_by("applied_at", "pk").values_list("workstream_id", "from_version__number")
    return dict(ordered)
