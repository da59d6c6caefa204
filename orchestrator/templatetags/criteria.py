"""The criteria that are left of a workstream: hundreds in a large one, so they are written without a template
for each.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from orchestrator.contract.rework import ToProve

register = template.Library()
#: Characters of the evidence of an earlier attempt.
SHOWN: Final = 120


@register.filter
def as_items(criteria: Iterable[ToProve]) -> SafeString:
    """An item of a list for each, with how it was proved before."""
    return mark_safe("\n".join(_items(criteria)))  # noqa: S308 - every text is escaped where it is written


def _items(criteria: Iterable[ToProve]) -> Iterator[str]:
    for one in criteria:
        again = "" if one.attempt is None else _again(one.attempt, one.evidence)
        yield f"<li><strong>{escape(one.key)}</strong>: <bdi>{escape(one.text)}</bdi>{again}</li>"


def _again(attempt: int, evidence: str) -> str:
    said = Truncator(evidence).chars(SHOWN)
    words = ' <span class="quiet">to verify again, in attempt {}: <bdi>{}</bdi></span>'
    return format_html(words, attempt, said)
