"""The parts of a page that lists something: its filters, its table, how it is taken along as CSV."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from orchestrator.core.terms import TimeWindow
from orchestrator.queries.base.asked import Unknown, named
from orchestrator.queries.flow.filters import FlowTime
from orchestrator.templatetags.ledger import word
from orchestrator.web.flow.frame import TIME_WORDS
from orchestrator.web.windows import WINDOW_WORDS

register = template.Library()


#: Terms that pages name in words of their own, by their kind: two kinds have some terms in common.
_WORDS: Final[Mapping[type, Mapping[Any, str]]] = {TimeWindow: WINDOW_WORDS, FlowTime: TIME_WORDS}
#: What an address says that is no filter.
NO_FILTERS: Final = frozenset({"page", "sort", "view", "format", "stood", "seen", "batch"})


@register.simple_block_tag(end_name="endfilters", takes_context=True)
def filters(
    context: Context, content: str, address: str, label: str, target: str = "results", *, fold: bool = True
) -> SafeString:
    """The form of a list's filters, which works without JavaScript; with it, `target` is the id of the part
    of the page that a change fetches anew. `label` names the form to screen readers. On a narrow screen it is
    folded while nothing is filtered, unless it is what the page is for (`fold` false)."""
    asked = context["request"].GET if "request" in context else {}
    given = any(asked[name] for name in asked if name not in NO_FILTERS)
    shown = {"fields": content, "address": address, "label": label, "target": target}
    return render_to_string("site/filters.html", {**shown, "fold": fold, "given": given})


class Option(NamedTuple):
    """A choice of a filter: what is asked for, and how it reads."""

    value: str
    name: str
    chosen: bool


@register.inclusion_tag("site/choose.html")
def choose(name: str, options: Iterable[object], **given: Any) -> dict[str, Any]:
    """A filter with one choice: `label` names it, `any` is the choice that filters nothing, `chosen` what is
    asked for. With `words` the options are terms, shown as people read them."""
    chosen, read = str(given.get("chosen") or ""), word if given.get("words") else str
    values = [str(option) for option in options]
    return {
        "name": name,
        "label": given["label"],
        "any": given.get("any", ""),
        "options": [Option(value, read(value), value == chosen) for value in values],
    }


@register.filter
def as_chosen(unknown: Unknown) -> str:
    """What is said of a value that means nothing here, with what is known in the words that people choose
    by."""
    if not unknown.terms:
        return str(unknown)
    words = (_WORDS.get(type(term), {}).get(term) or word(term) for term in unknown.terms)
    return str(replace(unknown, known=named(words)))


class Column(NamedTuple):
    """The head of a column; one of numbers stands to the right, a hidden one is read out only.

    `sort` is what the address asks for when the head is chosen, empty where nothing is sorted by it;
    `sorted` is how the list is sorted by it now, for screen readers."""

    name: str
    is_number: bool
    is_hidden: bool
    sort: str
    sorted: str


@register.simple_block_tag(end_name="endtable", takes_context=True)
def table(context: Context, content: str, caption: str, columns: str, **given: str) -> SafeString:
    """A table that becomes cards on small screens; between the tags stand its rows.

    `columns` are the heads with a bar between them: `#Done` is a column of numbers, `(History)` one whose
    head is only read out, `State@state` one that sorts the list, which the page's `sort` says. `caption` is
    only read out as well, `subject` a user's own text behind it; `tone` is a class of its own.
    """
    heads = [_column(head, str(context.get("sort", ""))) for head in columns.split("|")]
    shown = {**given, "rows": content, "caption": caption, "columns": heads}
    return render_to_string("site/table.html", {**shown, "request": context.get("request")})


@register.simple_tag(takes_context=True)
def heads(context: Context, columns: str) -> SafeString:
    """The heads alone, of a table that has sums below its rows; `columns` as in `{% table %}`."""
    found = [_column(head, str(context.get("sort", ""))) for head in columns.split("|")]
    return render_to_string("site/heads.html", {"columns": found, "request": context.get("request")})


def _column(head: str, order: str) -> Column:
    name, _, key = head.partition("@")
    way = {key: "ascending", f"-{key}": "descending"}.get(order, "") if key else ""
    sort = f"-{key}" if way == "ascending" else key
    return Column(name.strip("#()"), head.startswith("#"), head.startswith("("), sort, way)
