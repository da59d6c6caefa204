"""The forecast page: when so many items are done, and how many by a day (FR-013, FR-012)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from orchestrator.core.flow.buckets import local_day
from orchestrator.core.flow.forecast import FURTHEST_DAYS, RUNS, SEED, Forecast, refusal
from orchestrator.core.flow.percentiles import FEWEST, SHOWN
from orchestrator.queries.base.asked import Unknown
from orchestrator.queries.flow.filters import FlowAsked, FlowSet
from orchestrator.queries.flow.forecasts import days_until_done, done_in, history_of
from orchestrator.queries.flow.population import Population
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import HEIGHT, Plot, Rule, Scale, Stack, Tick, below, share
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.frame import frame, population_of
from orchestrator.web.flow.words import counted, day_words, percent, span_words
from orchestrator.web.show import show

#: Bars of a distribution at most.
MOST_BARS = 30
#: What is asked when nobody asks for anything else.
USUAL_DAYS = 30
#: What the address of the page says beside the filters.
ASKED = ("items", "by", "seed")
MOST_ITEMS, MOST_SEED = 100_000, 2**31


@dataclass(frozen=True, slots=True)
class ForecastQuestion:
    """What the reader asks: when so many items are done, and how many are by a day."""

    items: int
    by: date
    seed: int
    problems: tuple[Unknown, ...]


def asked(request: HttpRequest, population: Population) -> ForecastQuestion:
    """From the address; unless it says otherwise, what is in progress now, and thirty days from now."""
    reader = FlowAsked(request.GET, set(request.GET), by="How many by")
    today = local_day(population.until, population.zone)
    items = reader.number("items", 1, MOST_ITEMS)
    by, seed = reader.day("by"), reader.number("seed", 0, MOST_SEED)
    if by and not today < by <= today + timedelta(days=FURTHEST_DAYS):
        reader.say("by", f"{by.isoformat()} is not within the next ten years")
        by = None
    return ForecastQuestion(
        items or max(len(population.in_progress), 1),
        by or today + timedelta(days=USUAL_DAYS),
        SEED if seed is None else seed,
        tuple(reader.unknown),
    )


@require_safe
def flow_forecast(request: HttpRequest) -> HttpResponse:
    population, links = population_of(request, ASKED), Links(request.GET)
    question = asked(request, population)
    history = tuple(history_of(population))
    why_not = refusal(history)
    context = frame(population, links) | {
        "question": question,
        "why_not": why_not,
        "charts": [] if why_not else charts(population, links, question, history),
        "blockers": blockers_take(population, question, history),
        "blocked_now": len(population.those(FlowSet.BLOCKED_NOW)),
        "blocked_href": links.items(FlowSet.BLOCKED_NOW),
        "spans": [],
        "tomorrow": local_day(population.until, population.zone) + timedelta(days=1),
    }
    return show(request, "flow/forecast.html", context)


def charts(
    population: Population, links: Links, question: ForecastQuestion, history: tuple[int, ...]
) -> list[Chart]:
    today = local_day(population.until, population.zone)
    done = days_until_done(history, question.items, question.seed)
    count = done_in(history, (question.by - today).days, question.seed)
    return [_when(done, today, links, question), _how_many(count, links, question)]


def _basis(forecast: Forecast) -> str:
    step = f", drawn {forecast.step} days at a time" if forecast.step > 1 else ""
    return f"{RUNS:,} runs over {forecast.history} days of throughput{step}, seed {forecast.seed}"


def _when(forecast: Forecast, today: date, links: Links, question: ForecastQuestion) -> Chart:
    dates = {percent: _day(today, days) for percent, days in forecast.percentiles.items()}
    title = f"When will {counted(question.items, 'item')} be done?"
    finding = f"{_basis(forecast)}: 85 % by {dates[85]}."
    plot = _plot(
        forecast,
        links.items(FlowSet.IN_PROGRESS),
        lambda value: _day(today, value),
        [(forecast.within(percent), f"{percent} %: {dates[percent][:-5]}") for percent in SHOWN],
    )
    rows = [
        [Cell(f"{percent} %"), Cell(dates[percent]), Cell(str(forecast.within(percent)))] for percent in SHOWN
    ]
    return Chart("when", title, finding, plot, ("Certainty", "Done by", "Days from today"), rows)


def _how_many(forecast: Forecast, links: Links, question: ForecastQuestion) -> Chart:
    least = {percent: forecast.at_least(percent) for percent in SHOWN}
    title = f"How many will be done by {day_words(question.by)} {question.by.year}?"
    finding = f"{_basis(forecast)}: with 85 % certainty at least {counted(least[85], 'item')}."
    plot = _plot(
        forecast,
        links.items(FlowSet.FINISHED),
        str,
        [(least[percent], f"{percent} %: {least[percent]}") for percent in SHOWN],
    )
    rows = [[Cell(f"{percent} %"), Cell(str(least[percent]))] for percent in SHOWN]
    return Chart("how-many", title, finding, plot, ("Certainty", "At least"), rows)


def _day(today: date, days: int) -> str:
    if days >= FURTHEST_DAYS:
        return "later than in ten years"
    day = today + timedelta(days=days)
    return f"{day_words(day)} {day.year}"


def _plot(
    forecast: Forecast, href: str, said: Callable[[int], str], certain: Sequence[tuple[int, str]]
) -> Plot:
    """The runs as bars by their outcome, and the outcomes that are certain to some per cent."""
    least, most = min(forecast.outcomes), max(forecast.outcomes)
    wide = max(1, -(-(most - least + 1) // MOST_BARS))
    bars = -(-(most - least + 1) // wide)
    runs = [0] * bars
    for value, times in forecast.outcomes.items():
        runs[(value - least) // wide] += times
    scale = Scale(100 * max(runs) / forecast.runs)
    columns = []
    for place, times in enumerate(runs):
        first = least + place * wide
        last = min(first + wide - 1, most)
        name = said(first) if first == last else f"{said(first)} to {said(last)}"
        y = scale.y(100 * times / forecast.runs)
        columns.append(
            Stack(
                share(place + 0.08, bars), share(0.84, bars), y, round(HEIGHT - y, 1), "",
                f"{name}: {100 * times / forecast.runs:.1f} % of runs", href, "run",
            )
        )  # fmt: skip
    labels = [Tick(8.0 + 15 * number, text, "ink") for number, (_value, text) in enumerate(certain)]
    uprights = [Rule(share((value - least) / wide + 0.5, bars)) for value, _text in certain]
    names = [(share(place + 0.5, bars), said(least + place * wide)) for place in (0, bars // 2, bars - 1)]
    return Plot(
        sides=scale.ticks, unit="% of runs", below=below(names if bars > 2 else names[:1]), labels=labels,
        uprights=uprights, columns=columns,
    )  # fmt: skip


def blockers_take(population: Population, question: ForecastQuestion, history: tuple[int, ...]) -> str:
    """What blockers cost, in days and of the forecast.

    With as much in progress, throughput grows as cycle time shrinks (Little's law): without its blocked
    share, the same work takes that share of days less.
    """
    figures = population.figures
    blocked = figures.blocked_share
    if not figures.cycle.n:
        return "Nothing that was started was finished in this time, so what blockers take is not known."
    few = "" if figures.cycle.n >= FEWEST else "; so few say little"
    if not blocked:
        nothing = "so blockers take nothing of the forecast"
        return f"No finished item of this time was blocked (n = {figures.cycle.n}{few}), {nothing}."
    share = (
        f"Finished items were blocked for {span_words(figures.blocked)}, {percent(blocked)} of their"
        f" cycle time (n = {figures.cycle.n}{few})."
    )
    if why_not := refusal(history):
        return f"{share} How many days that takes of a forecast is not said: {why_not}"
    in_days = days_until_done(history, question.items, question.seed).within(85)
    items = counted(question.items, "item")
    return (
        f"{share} With as much in progress and no blockers, {items} would take about"
        f" {in_days * blocked:.1f} of the {in_days} days to 85 % less."
    )
