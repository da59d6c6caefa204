"""The cards of the flow page: each a figure with its n, leading to the items that it counts (FR-013)."""

from dataclasses import dataclass

from orchestrator.core.flow.figures import Durations
from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.flow.percentiles import FEWEST
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import Population
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.words import DAY, percent, span_parts, span_words


@dataclass(frozen=True, slots=True)
class Card:
    """A figure: its name, number and unit, what it rests on, and the items behind it."""

    name: str
    number: str
    unit: str
    basis: str
    href: str


def cards(population: Population, links: Links) -> list[Card]:
    figures = population.figures
    finished = f"{figures.finished} finished"
    share_basis = "of cycle time" if figures.cycle_total else "no cycle time yet"
    return [
        _percentile("Lead time", figures.lead, links.items(FlowSet.FINISHED)),
        _percentile("Cycle time", figures.cycle, links.items(FlowSet.TIMED)),
        _throughput(population, links),
        Card(
            "In progress",
            str(figures.in_progress),
            "",
            f"oldest {span_words(figures.age.longest)}" if figures.in_progress else "nothing is under way",
            links.items(FlowSet.IN_PROGRESS),
        ),
        Card(
            "Rework",
            percent(figures.rework_rate),
            "",
            f"{figures.reworked} of {finished}; {figures.back_moves} moves, {span_words(figures.rework)}"
            if figures.finished or figures.back_moves
            else "nothing is finished yet",
            links.items(FlowSet.REWORKED),
        ),
        Card(
            "Blocked",
            percent(figures.blocked_share),
            "",
            f"{share_basis}; {figures.was_blocked} of {finished}, {span_words(figures.blocked)}"
            if figures.finished or figures.was_blocked
            else "nothing is finished yet",
            links.items(FlowSet.BLOCKED),
        ),
        _blocked_now(population, links),
        Card(
            "Flow efficiency",
            percent(figures.efficiency),
            "",
            f"{share_basis}; n = {figures.cycle.n}",
            links.items(FlowSet.TIMED),
        ),
    ]


def _percentile(name: str, durations: Durations, href: str) -> Card:
    """The 85th percentile, or with fewer than ten values the values themselves."""
    if durations.percentiles:
        number, unit = span_parts(durations.percentiles[85])
        return Card(f"{name}, 85 %", number, unit, f"n = {durations.n}", href)
    if not durations.n:
        return Card(name, "–", "", "n = 0", href)
    values = ", ".join(span_words(value) for value in durations.values[:3])
    more = f" and {durations.n - 3} more" if durations.n > 3 else ""
    basis = f"n = {durations.n}: {values}{more}; percentiles from {FEWEST}"
    number, unit = span_parts(durations.values[-1])
    return Card(f"{name}, longest", number, unit, basis, href)


def _throughput(population: Population, links: Links) -> Card:
    count = population.figures.finished
    spent = population.until - max(population.since, population.first_registered)
    weeks = spent.total_seconds() / DAY / 7
    basis = f"{count / weeks:.1f} a week" if weeks >= 1 else f"in {span_words(spent)}"
    if spent <= ZERO:
        basis = "nothing was registered yet"
    return Card("Throughput", str(count), "finished", basis, links.items(FlowSet.FINISHED))


def _blocked_now(population: Population, links: Links) -> Card:
    """Items in progress that stand blocked, with all their blocked time and its share of their age."""
    blocked = [row.item for row in population.those(FlowSet.BLOCKED_NOW)]
    lost = sum((item.blocked for item in blocked), ZERO)
    age = sum((item.age(population.until) or ZERO for item in blocked), ZERO)
    share = f", {percent(lost / age)} of their age" if age else ""
    basis = f"lost {span_words(lost)} so far{share}" if blocked else "nothing in progress is blocked"
    return Card("Blocked now", str(len(blocked)), "", basis, links.items(FlowSet.BLOCKED_NOW))
