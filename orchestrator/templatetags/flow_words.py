"""Lengths of time on flow pages."""

from datetime import datetime, timedelta

from django import template

from orchestrator.core.flow.figures import Durations
from orchestrator.core.flow.items import FlowItem
from orchestrator.web.flow.words import span_words

register = template.Library()


@register.filter
def span(value: timedelta | None) -> str:
    return span_words(value)


@register.filter
def age(item: FlowItem, as_of: datetime) -> str:
    return span_words(item.age(as_of))


@register.filter
def percent_of(percentiles: dict[int, timedelta], percent: int) -> timedelta | None:
    """One of some percentiles; None where there are too few values for any."""
    return percentiles.get(percent)


@register.filter
def each(durations: Durations) -> str:
    """Every one of a few lengths of time: too few of them for percentiles."""
    return ", ".join(span_words(value) for value in durations.values)
