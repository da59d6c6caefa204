"""Where items in progress stand, how old finished ones were when they left a step, and how long steps took
(FR-013)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models import Case, F, Max, When

from orchestrator.core.flow.ageing import BETWEEN, KINDS, AgeColumn, StepPlace, age_columns
from orchestrator.core.flow.figures import Durations, durations
from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Step, Task
from orchestrator.queries.flow.places import ORDER, PLACE
from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.queries.flow.step_times import StepSpans, worked_on

#: So many of the items that finished last say how old work usually is; more would change little.
MOST_PAST = 200


class StepFigures(NamedTuple):
    """A step of plans with one name: how long its attempts took together in each finished item, and how old
    it is in each item in progress in which it is in work. The same key in another plan is another step."""

    plan: str
    key: str
    done: Durations
    in_work: Durations

    @property
    def total(self) -> timedelta:
        return sum(self.done.values, ZERO)


class Steps:
    """The steps of a population. Columns are the steps of the workflow if one is chosen, else their kinds."""

    def __init__(self, population: Population) -> None:
        self.population = population

    @cached_property
    def columns(self) -> list[AgeColumn]:
        places = self.population.places
        standing = [
            (places[row.item.key], row.item.key, self._age(row)) for row in self.population.in_progress
        ]
        return age_columns(self._names, standing, self._left)

    def _age(self, row: FlowRow) -> timedelta:
        return row.item.age(self.population.until) or timedelta(0)

    @property
    def _names(self) -> list[str]:
        if not self.population.by_key:
            return list(KINDS)
        keys = dict.fromkeys([*self._ordered_keys, *self.population.places.values()])
        return [*(key for key in keys if key != BETWEEN), BETWEEN]

    @cached_property
    def _completed(self) -> list[tuple[int, StepPlace, timedelta]]:
        """Of the items that finished last, each step with the item's age when it was completed for good."""
        recent = sorted(self.population.finished, key=lambda row: row.item.finished or self.population.since)
        started = {row.item.key: row.item.started for row in recent[-MOST_PAST:] if row.item.started}
        done = Task.objects.filter(workstream__in=list(started), attempts__status=AttemptStatus.COMPLETED)
        ended = (
            done.order_by(*ORDER)
            .values_list("workstream_id", *PLACE)
            .annotate(ended=Max("attempts__ended_at"))
        )
        return [(workstream, StepPlace(*place), at - started[workstream]) for workstream, *place, at in ended]

    @property
    def _ordered_keys(self) -> list[str]:
        return list(dict.fromkeys(step.key for _item, step, _age in self._completed))

    @property
    def _left(self) -> list[tuple[str, timedelta]]:
        """When an item left a column: with the last step of it there."""
        latest: dict[tuple[str, int], timedelta] = {}
        for item, step, age in self._completed:
            place = (self.population.column_of(step), item)
            latest[place] = max(age, latest.get(place, age))
        return [(name, age) for (name, _item), age in latest.items()]

    @cached_property
    def figures(self) -> list[StepFigures]:
        """Of every step that somebody worked on or works on; those with most items first."""
        population = self.population
        done = self._by_step(population.finished, worked_on([row.item.key for row in population.finished]))
        under_way = self._by_step(population.in_progress, population.steps_in_work)
        found = [
            StepFigures(*place, durations(done[place]), durations(under_way[place]))
            for place in {*done, *under_way}
        ]
        return sorted(found, key=lambda step: (-step.done.n - step.in_work.n, step.plan, step.key))

    @staticmethod
    def _by_step(rows: Sequence[FlowRow], spans: StepSpans) -> dict[tuple[str, str], list[timedelta]]:
        plan = {row.item.key: row.plan for row in rows}
        found: dict[tuple[str, str], list[timedelta]] = defaultdict(list)
        for (item, key), length in spans.items():
            found[plan[item], key].append(length)
        return found


def titles_of(steps: Sequence[StepFigures]) -> dict[tuple[str, str], str]:
    """What the steps are called, in the newest version that has them."""
    version = "thread__batch__stage__version"
    plan = Case(
        When(**{f"{version}__started_from": ""}, then=F(f"{version}__workflow__name")),
        default=F(f"{version}__started_from"),
    )
    rows = Step.objects.annotate(plan=plan).filter(
        key__in={step.key for step in steps}, plan__in={step.plan for step in steps}
    )
    named = rows.order_by(f"{version}__submitted_at").values_list("plan", "key", "title")
    return {(name, key): title for name, key, title in named}
