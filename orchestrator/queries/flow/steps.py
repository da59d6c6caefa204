"""Where items in progress stand, how old finished ones were when they left a step, and how long steps took
(FR-013)."""

from collections import defaultdict
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models import DurationField, ExpressionWrapper, F, Max, Sum

from orchestrator.core.flow.ageing import BETWEEN, KINDS, AgeColumn, StepPlace, age_columns
from orchestrator.core.flow.figures import Durations, durations
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Attempt, Task
from orchestrator.queries.flow.places import ORDER, PLACE
from orchestrator.queries.flow.population import FlowRow, Population

#: So many of the items that finished last say how old work usually is; more would change little.
MOST_PAST = 200


class StepTime(NamedTuple):
    """A step of the chosen items, and how long all attempts of it took together in each of them."""

    key: str
    durations: Durations


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
    def times(self) -> list[StepTime]:
        """Of the finished items, how long the attempts of each step took; most frequent steps first."""
        items = [row.item.key for row in self.population.finished]
        lasted = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
        spent = (
            Attempt.objects.filter(
                task__workstream__in=items, started_at__isnull=False, ended_at__isnull=False
            )
            .order_by()
            .values_list("task__step__key", "task__workstream_id")
            .annotate(spent=Sum(lasted))
        )
        by_key: dict[str, list[timedelta]] = defaultdict(list)
        for key, _item, length in spent:
            by_key[key].append(length)
        found = [StepTime(key, durations(lengths)) for key, lengths in by_key.items()]
        return sorted(found, key=lambda step: (-step.durations.n, step.key))
