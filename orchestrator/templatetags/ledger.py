"""The look's small parts.

State chips, times in the project zone, Markdown, and links that keep their filters.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from orchestrator.contract.why import WhyFacts
from orchestrator.core.engine import explain
from orchestrator.core.engine.signatures import SignOff
from orchestrator.core.errors import Refusal
from orchestrator.core.found import Piece
from orchestrator.core.terms import SearchKind
from orchestrator.models import HistoryEntry
from orchestrator.queries.base import history
from orchestrator.queries.work.tasks import TaskRow
from orchestrator.web.markdown import to_html
from orchestrator.web.wording import ended, message_of, told, way_out_of
from orchestrator.web.zone import project_zone

register = template.Library()
register.filter(ended)
CODED = re.compile(r"`([^`]+)`")

FOUND_AS = {
    SearchKind.WORKSTREAM: "Workstream",
    SearchKind.PLAN: "Plan",
    SearchKind.TASK: "Task",
    SearchKind.DISCUSSION: "Discussion",
    SearchKind.LEARNING: "Learning",
    SearchKind.ARTIFACT: "Artifact",
    SearchKind.HISTORY: "History",
}

#: Shapes on a 12 by 12 grid, so that a state is never told by colour alone.
SHAPES = {
    "circle": '<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2"/>',
    "dot": '<circle cx="6" cy="6" r="4"/>',
    "half": '<path d="M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zm0 1.8v7.4a3.7 3.7 0 0 1 0-7.4z"/>',
    "diamond": '<path d="M6 .5 11.5 6 6 11.5.5 6z"/>',
    "square": '<path d="M1 1h10v10H1z"/>',
    "triangle": '<path d="M6 .8 11.8 11.2H.2z"/>',
    "bars": '<path d="M1.5 1h3.2v10H1.5zm5.8 0h3.2v10H7.3z"/>',
    "check": '<path d="m1 6.3 1.5-1.5 2.3 2.3 4.8-5L11 3.6 4.8 10z"/>',
    "seal": '<path d="M6 .2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 6 .2zM3.9 5.2 2.8 6.4l2.4 2.3 '
    '4-4.2L8 3.4 5.2 6.4z"/>',
    "cross": '<path d="m2.3.8 3.7 3.7L9.7.8l1.5 1.5L7.5 6l3.7 3.7-1.5 1.5L6 7.5l-3.7 '
    '3.7-1.5-1.5L4.5 6 .8 2.3z"/>',
    "hourglass": '<path d="M2 .5h8v2L7.2 6 10 9.5v2H2v-2L4.8 6 2 2.5z"/>',
    "back": '<path d="M4.5 1v2.6H8a3.5 3.5 0 0 1 0 7H3V8.8h5a1.7 1.7 0 0 0 0-3.4H4.5V8L.5 4.5z"/>',
    "dash": '<path d="M1 4.8h10v2.4H1z"/>',
}
#: Every term a page shows: tone (CSS), shape, and the word people read.
STATES: dict[str, tuple[str, str, str]] = {
    "pending": ("plain", "circle", "Pending"),
    "ready": ("ready", "dot", "Ready"),
    "active": ("active", "half", "Active"),
    "blocked": ("blocked", "square", "Blocked"),
    "review": ("review", "diamond", "In review"),
    "complete": ("finished", "check", "Complete"),
    "skipped": ("plain", "dash", "Skipped"),
    "cancelled": ("plain", "cross", "Cancelled"),
    "needs-human": ("human", "triangle", "Needs a human"),
    "silence": ("human", "hourglass", "Not heard"),
    "breaker": ("human", "cross", "Circuit breaker"),
    "budget": ("human", "cross", "Budget used up"),
    "plan-budget": ("human", "cross", "Budget used up"),
    "artifact": ("human", "square", "Damaged file"),
    "queued": ("ready", "dot", "Queued"),
    "running": ("active", "half", "Running"),
    "completed": ("finished", "check", "Completed"),
    "failed": ("blocked", "cross", "Failed"),
    "rejected": ("blocked", "back", "Rejected"),
    "planning": ("review", "diamond", "Planning"),
    "finished": ("finished", "check", "Finished"),
    "accepted": ("accepted", "seal", "Accepted"),
    "archived": ("plain", "dash", "Archived"),
    "provisional": ("plain", "circle", "Provisional"),
    "integrated": ("accepted", "seal", "Integrated"),
    "stalled": ("stalled", "bars", "Stalled"),
    "oldies": ("stalled", "hourglass", "Oldies"),
    "submitted": ("review", "diamond", "Submitted"),
    "migrated": ("ready", "dot", "Migrated"),
    "rolled_back": ("stalled", "back", "Rolled back"),
    "kept": ("finished", "check", "Keeps its state"),
    "renamed": ("finished", "check", "Renamed"),
    "again": ("stalled", "back", "Done again"),
    "added": ("ready", "dot", "Added"),
    "refused": ("blocked", "square", "Needs a decision"),
    "in_review": ("review", "diamond", "In review"),
    "approved": ("accepted", "seal", "Approved"),
    "sent_back": ("stalled", "back", "Sent back"),
    "superseded": ("plain", "dash", "Superseded"),
    "withdrawn": ("plain", "cross", "Withdrawn"),
    "committed": ("finished", "check", "Committed"),
    "damaged": ("blocked", "square", "Damaged"),
    "ingested": ("finished", "check", "Taken in"),
    "quarantined": ("stalled", "bars", "Quarantined"),
    "blocks": ("blocked", "square", "Blocks approval"),
    "warns": ("human", "triangle", "Warning"),
    "Done": ("finished", "check", "Done"),
    "Active": ("active", "half", "Active"),
    "Blocked": ("blocked", "square", "Blocked"),
    "Runnable": ("ready", "dot", "Runnable"),
    "proved": ("finished", "check", "Proved"),
    "being-verified": ("active", "circle", "Being verified"),
    "completion-refused": ("blocked", "cross", "Completion refused"),
    "asserted": ("stalled", "circle", "Asserted"),
    "info": ("ready", "dot", "Note"),
}


@register.simple_tag
def icon(value: str, x: int | None = None) -> SafeString:
    """The shape of a state alone; `x` (pixels) places it inside another drawing."""
    shape = STATES.get(str(value), ("plain", "circle", ""))[1]
    return _glyph(shape) if x is None else _glyph(shape, format_html(' x="{}" width="12" height="12"', x))


def _glyph(shape: str, place: str = "") -> SafeString:
    drawing = mark_safe(SHAPES[shape])  # noqa: S308 - a constant above
    return format_html('<svg class="glyph"{} viewBox="0 0 12 12" aria-hidden="true">{}</svg>', place, drawing)


@register.simple_tag
def chip(value: str, word: str = "", *, strong: bool = False) -> SafeString:
    """A state as colour, shape and word; an unknown term is printed as it stands."""
    term = str(value)
    tone, shape, usual = STATES.get(term, ("plain", "circle", _in_words(term)))
    classes = f"chip chip-{tone}{' strong' if strong else ''}"
    return format_html('<span class="{}">{}<span>{}</span></span>', classes, _glyph(shape), word or usual)


@register.filter
def pieces(parts: Iterable[Piece]) -> SafeString:
    """A user's text with the words marked that were looked for."""
    shown = (format_html("<mark>{}</mark>", text) if found else escape(text) for text, found in parts)
    return format_html("<bdi>{}</bdi>", format_html_join("", "{}", ((one,) for one in shown)))


@register.filter
def word(value: str) -> str:
    """The word people read for a term."""
    term = str(value)
    return STATES[term][2] if term in STATES else _in_words(term)


def _in_words(term: str) -> str:
    """A term that is several words already keeps its hyphens."""
    return (term if " " in term else term.replace("_", " ").replace("-", " ")).capitalize()


@register.filter
def place_told(entry: HistoryEntry) -> str:
    """Where the attempt worked that an entry tells of; empty for other entries."""
    return history.place_told(entry)


@register.filter
def proof_told(entry: HistoryEntry) -> str:
    """What a completion in the history rests on; empty for other entries."""
    return history.proof_told(entry)


@register.filter
def local_time(value: datetime | None) -> SafeString | str:
    """A moment in the project time zone with the zone's abbreviation; a dash when there is none."""
    if value is None:
        return "–"
    return _stamp(value, f"{_day(value)}, {value.astimezone(project_zone()):%H:%M %Z}")


@register.filter
def said_to(refusal: Refusal, user: User | AnonymousUser | str) -> str:
    """What a refusal says, in the words of whoever reads the page."""
    return message_of(refusal, getattr(user, "username", ""))


@register.filter
def way_out_for(refusal: Refusal, user: User | AnonymousUser | str) -> str:
    """What to do next, in the same words; who has the role, where one is missing."""
    return way_out_of(refusal, getattr(user, "username", ""))


@register.filter
def moment(value: str) -> SafeString | str:
    """A moment that a refusal names for machines, as pages show times; anything else as it stands."""
    try:
        return local_time(datetime.fromisoformat(value))
    except ValueError:
        return value


def _day(value: datetime) -> str:
    local = value.astimezone(project_zone())
    return f"{local.day} {local:%b %Y}"


def _stamp(value: datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}">{}</time>', value.astimezone(UTC).isoformat(timespec="seconds"), text
    )


@register.filter
def ago(value: datetime | None, now: datetime) -> str:
    """How long before `now`, in the largest whole unit: "3 days", "2 hours", "under a minute"."""
    return "–" if value is None else lasting(now.astimezone(UTC) - value.astimezone(UTC))


@register.filter
def lasting(span: timedelta) -> str:
    return explain.lasting(span)


@register.filter
def inside(path: str, slug: str) -> str:
    """The path of a file as seen from the folder of its workstream."""
    return path.removeprefix(f"workstreams/{slug}/")


@register.filter
def coded(text: str) -> SafeString:
    """Text of ours in which backquotes set apart what is typed into a plan."""
    return mark_safe(CODED.sub(r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped before the marks are set


@register.filter
def waits_for_signatures(sign_off: SignOff) -> str:
    return explain.waits_for_signatures(sign_off)


@register.filter
def where_it_stands(row: TaskRow) -> str:
    """Where a task stands, beside its chip.

    Without the chip's word, and without the error or question shown nearby.
    """
    if row.failed and not row.task.needs_human:
        return explain.failed_in(row.failed.number)
    return explain.waits_for_answer() if row.task.needs_human else told(explain.beside_ready(row.sentence))


@register.filter
def in_words(sentence: str) -> str:
    """A sentence that machines get too, with its times as pages show them."""
    return told(sentence)


@register.filter
def shortened(text: str, length: int) -> str:
    """A sentence of so many characters at most, cut behind a word."""
    if len(text) <= length:
        return text
    kept, space, _ = text[:length].rpartition(" ")
    return f"{kept.rstrip(' ,;:') if space else text[: length - 1]}…"


@register.filter
def waiting(count: int) -> str:
    return f"{count} waits" if count == 1 else f"{count} wait"


@register.filter(name="markdown")
def markdown_html(text: str, under: int = 0) -> SafeString:
    """A Markdown text on a page; `under` is the level of the heading that it stands under."""
    return to_html(text, under)


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: object) -> str:
    """The query string of this page with some keys replaced; `None` or "" removes one. Starts with "?"."""
    request: HttpRequest = context["request"]
    kept = request.GET.copy()
    for refreshing in ("seen", "stood"):  # They are of a refresh, and no link's.
        kept.pop(refreshing, None)
    for key, value in changes.items():
        if value in (None, ""):
            kept.pop(key, None)
        else:
            kept[key] = str(value)
    return f"?{kept.urlencode()}"


@register.filter
def found_as(kind: SearchKind) -> str:
    """How one thing of this kind is called among others that were found."""
    return FOUND_AS[kind]


@register.filter
def act_beside(why: WhyFacts, request: HttpRequest) -> bool:
    """Whether what frees the root is an act on another page, of somebody who is named."""
    root = why.root
    return bool(root.to_do and root.freed_by) and root.address != request.path


@register.simple_tag
def address(page: str, place: tuple[str | int, ...]) -> str:
    """The address of the page named `page`; `place` are its arguments."""
    return reverse(page, args=place)
