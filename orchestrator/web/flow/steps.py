"""The page of steps, and its rows as CSV: how long they took, and which of them are in work (FR-013)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.flow.percentiles import SHOWN
from orchestrator.queries.flow.filters import FlowAsked, FlowSet
from orchestrator.queries.flow.flow_facts import strict_population
from orchestrator.queries.flow.steps import StepFigures, Steps, titles_of
from orchestrator.web.csv_export import csv_response
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.exports import seconds
from orchestrator.web.flow.frame import frame, population_of
from orchestrator.web.show import show
from orchestrator.web.zone import project_zone

PAGE_SIZE: Final = 50
#: What a reader may sort the steps by.
SORTS: Final[Mapping[str, Callable[[StepFigures], Any]]] = {
    "step": lambda step: (step.plan.casefold(), step.key),
    "working": lambda step: step.in_work.n,
    "oldest": lambda step: step.in_work.longest or ZERO,
    "n": lambda step: step.done.n,
    "longest": lambda step: step.done.longest or ZERO,
    "total": lambda step: step.total,
}
SORTED: Final = ("sort",)


class StepRow(NamedTuple):
    """A step with its title and the addresses of what its figures count."""

    figures: StepFigures
    title: str
    done_href: str
    in_work_href: str


@require_safe
def steps_page(request: HttpRequest) -> HttpResponse:
    """How long each step took in the finished items, and how old it is where it is in work."""
    population, links = population_of(request, SORTED), Links(request.GET)
    asked = FlowAsked(request.GET, set(request.GET))
    sort = asked.order(SORTS)
    found = Steps(population).figures
    page = Paginator(_sorted(found, sort), PAGE_SIZE).get_page(request.GET.get("page"))
    context = frame(population, links, asked.unknown) | {
        "page_obj": page,
        "steps": _rows(list(page.object_list), links),
        "sort": sort,
        "in_work": sum(step.in_work.n for step in found),
        "working_href": links.items(FlowSet.IN_WORK),
        "steps_csv": links.to("flow-steps-csv"),
        "spans": [],
    }
    return show(request, "flow/steps.html", context)


def _sorted(found: Sequence[StepFigures], sort: str) -> Sequence[StepFigures]:
    if not sort:
        return found
    return sorted(found, key=SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _rows(steps: Sequence[StepFigures], links: Links) -> list[StepRow]:
    titles = titles_of(steps)
    return [
        StepRow(
            step,
            titles.get((step.plan, step.key), ""),
            links.step(FlowSet.FINISHED, step.plan, step.key),
            links.step(FlowSet.IN_WORK, step.plan, step.key),
        )
        for step in steps
    ]


@require_safe
def steps_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All steps that the page with the same query string lists."""
    population = strict_population(request.GET.dict(), timezone.now(), project_zone())
    header = (
        *("plan", "step", "in_work", "oldest_seconds", "n"),
        *(f"p{percent}_seconds" for percent in SHOWN),
        *("longest_seconds", "total_seconds"),
    )
    return csv_response("flow-steps", header, _cells(Steps(population).figures))


def _cells(steps: Sequence[StepFigures]) -> Iterator[tuple[object, ...]]:
    for step in steps:
        usual = (_percentile(step, percent) for percent in SHOWN)
        done = (step.done.n, *usual, seconds(step.done.longest), seconds(step.total))
        yield (step.plan, step.key, step.in_work.n, seconds(step.in_work.longest), *done)


def _percentile(step: StepFigures, percent: int) -> str:
    known: dict[int, timedelta] = step.done.percentiles
    return seconds(known.get(percent))
