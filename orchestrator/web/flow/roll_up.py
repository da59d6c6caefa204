"""The figures of a choice by domain, workflow or owner (FR-013, FR-017)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.flow.figures import Durations, FlowFigures, figures
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.queries.workstreams.portfolio import NO_DOMAIN
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.words import percent, span_words

#: So many groups are shown, those with most items.
MOST_GROUPS = 20


class GroupedBy(StrEnum):
    """What the roll-up has a row for."""

    DOMAIN = "domain"
    WORKFLOW = "workflow"
    OWNER = "owner"


_VALUE: dict[GroupedBy, Callable[[FlowRow], str]] = {
    GroupedBy.DOMAIN: lambda row: row.domain or NO_DOMAIN,
    GroupedBy.WORKFLOW: lambda row: row.workflow,
    GroupedBy.OWNER: lambda row: row.owner,
}


@dataclass(frozen=True, slots=True)
class RollUpRow:
    """A group with its figures and the addresses of what they count."""

    name: str
    href: str
    finished: int
    finished_href: str
    cycle: str
    in_progress: int
    in_progress_href: str
    oldest: str
    rework: str
    blocked: str


@dataclass(frozen=True, slots=True)
class RollUp:
    """The groups with most items; `left_out` counts the others."""

    by: GroupedBy
    rows: list[RollUpRow]
    left_out: int


def roll_up(population: Population, links: Links, by: GroupedBy) -> RollUp:
    finished: dict[str, list[FlowRow]] = defaultdict(list)
    in_progress: dict[str, list[FlowRow]] = defaultdict(list)
    for row in population.finished:
        finished[_VALUE[by](row)].append(row)
    for row in population.in_progress:
        in_progress[_VALUE[by](row)].append(row)
    names = sorted(
        {*finished, *in_progress},
        key=lambda name: (-len(finished[name]) - len(in_progress[name]), name.casefold()),
    )
    rows = []
    for name in names[:MOST_GROUPS]:
        done, under_way = finished[name], in_progress[name]
        said = figures([row.item for row in done], [row.item for row in under_way], population.until)
        rows.append(_row(name, said, links, by))
    return RollUp(by, rows, max(len(names) - MOST_GROUPS, 0))


def _row(name: str, said: FlowFigures, links: Links, by: GroupedBy) -> RollUpRow:
    chosen = {by.value: name}
    return RollUpRow(
        name="No domain" if name == NO_DOMAIN else name,
        href=links.to("flow", **chosen),
        finished=said.finished,
        finished_href=links.to("flow-items", show=FlowSet.FINISHED.value, **chosen),
        cycle=_usual(said.cycle),
        in_progress=said.in_progress,
        in_progress_href=links.to("flow-items", show=FlowSet.IN_PROGRESS.value, **chosen),
        oldest=span_words(said.age.longest),
        rework=percent(said.rework_rate),
        blocked=percent(said.blocked_share),
    )


def _usual(cycle: Durations) -> str:
    if cycle.percentiles:
        return span_words(cycle.percentiles[85])
    return f"up to {span_words(cycle.longest)}, n = {cycle.n}" if cycle.n else "–"
