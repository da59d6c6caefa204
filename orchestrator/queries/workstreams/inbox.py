"""What waits for one person, what they have in their hands, and what they put off (FR-002).

Badge, list and export read the same rows. A page of the list is one statement over all sources, in the order
of what unblocks most work, and one for each source that the page has a row of.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db.models import (
    DateTimeField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from orchestrator.core.actions import Action
from orchestrator.core.terms import Role
from orchestrator.models import Snooze
from orchestrator.queries.base.kept import THEN, TimedStatement
from orchestrator.queries.workstreams import inbox_sources as sources
from orchestrator.queries.workstreams.in_hands import drafts_of, held_by, questions_of
from orchestrator.queries.workstreams.inbox_filter import InboxFilter
from orchestrator.queries.workstreams.inbox_sources import NO_TASK, InboxEntry, Source

#: Entries on a page.
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class InboxSection:
    """A kind of waiting work; `kind` is its word in addresses, `state` the term of the chip beside it."""

    kind: str
    title: str
    state: str
    sources: tuple[Source, ...]


#: What a reader may sort by, as columns of `ListedRow`; who waits long waits since early.
ORDERS: Final = {
    "": "4 DESC, 1, 5, 2",
    "behind": "4, 1, 5, 2",
    "-behind": "4 DESC, 1, 5, 2",
    "waiting": "5 DESC, 4 DESC, 1, 2",
    "-waiting": "5, 4 DESC, 1, 2",
}
SORTS: Final = ("behind", "waiting")


class ListedRow(NamedTuple):
    """A row of the list before it is read: its source's number, its id, its workstream's id, how many tasks
    wait behind it, and since when it waits."""

    source: int
    row: int
    workstream: int
    behind: int
    since: datetime


@dataclass(frozen=True, slots=True)
class InboxItem:
    """An entry with its section and how many tasks wait `behind` it; `name` is what a snooze takes."""

    section: InboxSection
    entry: InboxEntry
    behind: int
    name: str

    @property
    def anchor(self) -> str:
        """Its name on the page."""
        return f"item-{self.name.replace(':', '-')}"

    @property
    def choice(self) -> str:
        """What a bulk act takes: the name, and what of it was read."""
        return f"{self.name}@{self.entry.stands}" if self.entry.stands else self.name


class InboxOwner(NamedTuple):
    """Who asks: an account with its name and roles, and the actions that the acts expect of it."""

    person: int
    name: str
    roles: frozenset[Role]
    asked: frozenset[Action]


class PersonalInbox:
    """The sections of one person, most urgent first.

    With `now`, what they put off until later is left out, or with `snoozed` it alone is there. The statements
    of an `owner` are kept, those of anybody else made anew.
    """

    def __init__(
        self,
        sections: Sequence[InboxSection],
        person: int,
        now: datetime | None = None,
        *,
        snoozed: bool = False,
        owner: InboxOwner | None = None,
    ) -> None:
        self.sections, self._person, self._now, self._snoozed = sections, person, now, snoozed
        self._owner = owner

    def awake(self, source: Source) -> Source:
        """With the rows that this inbox shows."""
        if self._now is None:
            return replace(source, rows=source.rows.all())
        put_off = Exists(
            Snooze.objects.filter(
                person=self._person, source=source.name, row=OuterRef("pk"), until__gt=self._now
            )
        )
        rows = source.rows.filter(put_off if self._snoozed else ~put_off)
        return replace(source, rows=rows)

    @cached_property
    def total(self) -> int:
        """How many entries the list has, in one query over the same rows."""
        keys = everything_in(self)
        return 0 if keys is None else keys.count()

    @cached_property
    def groups(self) -> list[tuple[InboxSection, list[InboxEntry]]]:
        """Each section that has something in it, oldest entry first: all of it."""
        read = [(one, sorted(self._read(one), key=lambda entry: entry.since)) for one in self.sections]
        return [(section, entries) for section, entries in read if entries]

    def _read(self, section: InboxSection) -> Iterator[InboxEntry]:
        for source in map(self.awake, section.sources):
            yield from map(source.entry, source.rows)

    def count(self, wanted: InboxFilter, most: int) -> int:
        """How many entries the filter leaves, or `most` where there are more."""
        found = self._answer(_counting, wanted, most)
        return int(found[0][0]) if found else 0

    def page(self, wanted: InboxFilter, offset: int, limit: int | None = PAGE) -> list[InboxItem]:
        """Part of the list, what unblocks most work first; then by section, then the longest waiting. Without
        a `limit` all that follows."""
        last = None if limit is None else offset + limit
        whole_pages = None if last is None else -(-last // PAGE) * PAGE
        places = [ListedRow(*row) for row in self._answer(_ranking, wanted, whole_pages)[offset:last]]
        chosen = self.chosen(wanted)
        entries = _entries(chosen, places)
        return [_item(*chosen[place.source], entries[place], place) for place in places if place in entries]

    def present(self, named: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
        """Those of these names and ids of rows that are in it."""
        found = set()
        for source in (source for section in self.sections for source in section.sources):
            ids = {row for name, row in named if name == source.name}
            if ids:
                rows = self.awake(source).rows.filter(pk__in=ids).order_by().values_list("pk", flat=True)
                found |= {(source.name, row) for row in rows}
        return found

    def _answer(self, make: "_Make", wanted: InboxFilter, most: int | None) -> list[tuple[Any, ...]]:
        """What a statement over the filter's sources answers. One with a text of somebody's is not kept."""
        if self._owner is None or wanted.workstream:
            statement = make(self, wanted, most)
        else:
            statement = _kept(self._owner, self._now is not None, self._snoozed, make, wanted, most)
        return statement.rows(self._now or THEN) if statement else []

    def chosen(self, wanted: InboxFilter) -> list[tuple[InboxSection, Source]]:
        """The sources that the filter leaves."""
        return [
            (section, source)
            for section in self.sections
            if wanted.kind in ("", section.kind)
            for source in section.sources
        ]

    def narrowed(self, wanted: InboxFilter) -> list[Source]:
        """The same sources, each with the rows that the filter leaves."""
        sources = (self.awake(source) for _, source in self.chosen(wanted))
        return [_narrowed(source, wanted.conditions(source, self._person)) for source in sources]


#: Makes a statement over the sources of an inbox that a filter leaves, for so many rows.
_Make = Callable[[PersonalInbox, InboxFilter, int | None], TimedStatement | None]


@lru_cache(500)
def _kept(
    owner: InboxOwner, timed: bool, snoozed: bool, make: _Make, wanted: InboxFilter, most: int | None
) -> TimedStatement | None:
    return make(inbox_for(owner, THEN if timed else None, snoozed=snoozed), wanted, most)


def _narrowed(source: Source, conditions: Q) -> Source:
    rows = source.rows.filter(conditions)
    return replace(source, rows=rows)


def _item(section: InboxSection, source: Source, entry: InboxEntry, place: ListedRow) -> InboxItem:
    return InboxItem(section, entry, place.behind, f"{source.name}:{place.row}")


def everything_in(inbox: PersonalInbox) -> QuerySet[Any] | None:
    """The keys of all entries, one after another; None where nobody asks anything of this person."""
    return _keys([source.rows for source in inbox.narrowed(InboxFilter())])


def _keys(rows: Sequence[QuerySet[Any]]) -> QuerySet[Any] | None:
    keys = [one.order_by().values_list("pk") for one in rows]
    if not keys:
        return None
    return keys[0].union(*keys[1:], all=True) if len(keys) > 1 else keys[0]


def _counting(inbox: PersonalInbox, wanted: InboxFilter, most: int | None) -> TimedStatement | None:
    keys = _keys([source.rows for source in inbox.narrowed(wanted)])
    if keys is None:
        return None
    try:
        sql, parameters = keys[:most].query.sql_with_params()
    except EmptyResultSet:  # Django sees by itself that there is nothing
        return None
    return TimedStatement(" ".join(("SELECT COUNT(*) FROM (", sql, ") waiting")), parameters)


def _ranking(inbox: PersonalInbox, wanted: InboxFilter, last: int | None) -> TimedStatement | None:
    """The first entries in the order of the list, as `ListedRow` has them. Of each source only its first ones
    can be among them, and where it has an index in that order only those are read."""
    parts: list[str] = []
    parameters: list[Any] = []
    for number, source in enumerate(inbox.narrowed(wanted)):
        first = _in_order_of_list(_places(number, source), source, wanted.sort)[:last]
        try:
            sql, given = first.query.sql_with_params()
        except EmptyResultSet:  # Django sees by itself that there is nothing
            continue
        parts.append(" ".join(("SELECT * FROM (", sql, f") part_{number}")))
        parameters += given
    if not parts:
        return None
    ordered = f"{' UNION ALL '.join(parts)} ORDER BY {ORDERS.get(wanted.sort, ORDERS[''])}"
    return TimedStatement(ordered if last is None else f"{ordered} LIMIT {last}", parameters)


def _in_order_of_list(places: QuerySet[Any], source: Source, sort: str) -> QuerySet[Any]:
    """As `ORDERS` says, of one source; the number that all of its rows share sorts nothing."""
    since = F(source.since)
    waits = [since.desc()] if sort == "waiting" else [since.asc()]
    column = source.behind if isinstance(source.behind, F) else F("i_behind")
    behind = [column.asc() if sort == "behind" else column.desc()]
    if isinstance(source.behind, Value):
        behind = []
    parts = [*waits, *behind] if sort in ("waiting", "-waiting") else [*behind, *waits]
    return places.order_by(*parts, "pk")


def _places(number: int, source: Source) -> QuerySet[Any]:
    """The rows of a source as `ListedRow` has them. Behind what is not about a task wait all open tasks of
    the workstream, if the source does not say another number."""
    to = source.workstream
    column = f"{to}open_tasks" if source.task == NO_TASK else f"{source.task}step__behind"
    behind = F(column) if source.behind is None else source.behind
    rows = source.rows.order_by()
    if source.task != NO_TASK and source.behind is None:
        # What the source asks is found by an index of its own, whatever it is then joined with.
        rows = source.rows.model._default_manager.filter(pk__in=rows.values("pk"))
    places: QuerySet[Any] = rows.annotate(
        i_source=Value(number, IntegerField()),
        i_row=F("pk"),
        i_workstream=F(f"{to}pk"),
        i_behind=Coalesce(behind, Value(0), output_field=IntegerField()),
        i_since=Cast(F(source.since), DateTimeField()),
    ).values_list("i_source", "i_row", "i_workstream", "i_behind", "i_since")
    return places


def _entries(
    chosen: Sequence[tuple[InboxSection, Source]], places: Sequence[ListedRow]
) -> Mapping[ListedRow, InboxEntry]:
    """The rows of these places, read by source; that they are shown was just found out."""
    wanted: dict[int, list[ListedRow]] = defaultdict(list)
    for place in places:
        wanted[place.source].append(place)
    entries: dict[ListedRow, InboxEntry] = {}
    for number, some in wanted.items():
        source = chosen[number][1]
        rows = source.rows.filter(pk__in={place.row for place in some})
        found = {
            (row.pk, row.i_workstream): row for row in rows.annotate(i_workstream=F(f"{source.workstream}pk"))
        }
        for place in some:
            row = found.get((place.row, place.workstream))
            if row is not None:
                entries[place] = source.entry(row)
    return entries


def inbox_for(owner: InboxOwner, now: datetime | None = None, *, snoozed: bool = False) -> PersonalInbox:
    """What waits for a person: the actions that they are asked for are those that the acts expect of somebody
    with their roles (design section 7). Gates that name them and plans that came back are theirs by name.
    """
    return PersonalInbox(_sections(owner), owner.person, now, snoozed=snoozed, owner=owner)


@lru_cache(500)
def _sections(owner: InboxOwner) -> tuple[InboxSection, ...]:
    """Queries are made of these and never asked themselves, or they would keep what they read."""
    user = User(pk=owner.person, username=owner.name)
    sections = []
    for kind, title, state, offers in (*_urgent(user), *_in_order(user, owner.roles)):
        found = tuple(source() for action, source in offers if action is None or action in owner.asked)
        if found:
            sections.append(InboxSection(kind, title, state, found))
    return tuple(sections)


class _Offer(NamedTuple):
    """A section before it is known who asks: its sources, each with the action that it waits for; None for
    what is a person's own by name."""

    kind: str
    title: str
    state: str
    sources: tuple[tuple[Action | None, Callable[[], Source]], ...]


def _urgent(user: User) -> tuple[_Offer, ...]:
    """What stops others."""
    blocks = (
        (Action.TASK_REQUEUED, sources.failed),
        (Action.BLOCKER_RESOLVED, sources.declared),
        (Action.ARTIFACT_RESTORED, sources.damaged),
    )
    approval = (
        (Action.PLAN_APPROVED, partial(sources.plans_in_review, user)),
        (Action.PREHANDOFF_SIGNED, sources.unsigned),
    )
    return (
        _Offer("question", "Needs a human", "needs-human", ((Action.INTERVENTION_DONE, sources.flagged),)),
        _Offer("blocks", "Blocks others", "blocked", blocks),
        _Offer("approval", "Waits for your approval", "in_review", approval),
    )


def _in_order(user: User, roles: frozenset[Role]) -> tuple[_Offer, ...]:
    """What the work itself asks for."""
    lessons = (
        (Action.LEARNING_RECORDED, sources.taught_batches),
        (Action.LEARNING_RECORDED, sources.taught_merge_points),
    )
    claimable = ((Action.ATTEMPT_CLAIMED, partial(sources.claimable, user, roles)),)
    finished = ((Action.WORKSTREAM_ACCEPTED, sources.finished),)
    return (
        _Offer("gate", "Waits for your sign-off", "review", ((None, partial(sources.gates, user, roles)),)),
        _Offer("acceptance", "Ready for acceptance", "finished", finished),
        _Offer("claim", "Ready to be claimed", "ready", claimable),
        _Offer("lesson", "What did it teach?", "info", lessons),
        _Offer("returned", "Returned to you", "sent_back", ((None, partial(sources.returned, user)),)),
    )


def in_hands(user: User) -> PersonalInbox:
    """What this person has begun: tasks they hold, drafts they have not sent, questions they have asked."""
    return PersonalInbox(
        [
            InboxSection("held", "You hold", "running", (held_by(user),)),
            InboxSection("draft", "Not sent yet", "info", (drafts_of(user),)),
            InboxSection("asked", "You asked", "needs-human", (questions_of(user),)),
        ],
        user.pk,
    )
