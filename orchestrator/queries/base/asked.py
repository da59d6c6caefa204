"""The filters of a list as an address gives them: what is known counts, what is not is said (FR-025).

A page says it, in the words of its labels, and filters nothing by it, so that an old link still opens; a file
or a machine's answer has no place to say it, and is refused. Filters that do not exist are said alike.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import QueryDict

from orchestrator.core.errors import InvalidInput
from orchestrator.models import Workstream

Term = TypeVar("Term", bound=StrEnum)
#: Characters of a value that are read, and of an unknown one that are said again.
LONGEST, SAID = 200, 60
#: Known values that are all named.
FEW = 12
#: What an address of any list may say beside its filters: part of links and of refreshes, never typed.
BESIDE: Final = frozenset({"page", "format", "seen", "stood"})
#: How the pages label what is not labelled by its own name.
LABELS: Final[Mapping[str, str]] = {"q": "Words", "since": "From", "until": "To"}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value of `field` that means nothing here, or not all of it; as text it is what a page says: what is
    wrong (`said`), what follows (`then`), and what is known. An address has terms for it, and a page
    the words for these `terms` that people choose by (`templatetags/lists.py`)."""

    field: str
    said: str
    then: str = "so it filters nothing"
    known: str = ""
    terms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.said}, {self.then}.{self.known}"


def refuse_unknown(unknown: Sequence[Unknown]) -> None:
    """InvalidInput with all of them, which names the first field; nothing where there is none."""
    if unknown:
        said = " ".join(f"{one.said}.{one.known}" for one in unknown)
        raise InvalidInput(said, recovery="Correct the address.", field=unknown[0].field)


def refuse_other(field: str, value: str, known: Iterable[str]) -> None:
    """InvalidInput for a value that is given and not among those that are known."""
    options = list(known) if value else []
    if value and value not in options:
        refuse_unknown([Unknown(field, f"“{value[:SAID]}” is no {field} here", known=named(options))])


def named(known: Iterable[str]) -> str:
    """What is known instead, as a sentence behind another; empty where that is nothing, or too much."""
    few = sorted((one for one in known if one), key=str.casefold)
    return f" Known: {', '.join(few)}." if 0 < len(few) <= FEW else ""


class Asked:
    """One address. `unknown` are the values that mean nothing here, and the names that are no filter; they
    filter nothing. `labels` are the page's own, `beside` what it reads itself."""

    def __init__(
        self, query: QueryDict, labels: Mapping[str, str] | None = None, beside: Collection[str] = ()
    ) -> None:
        self._query, self._labels = query, {**LABELS, **(labels or {})}
        self._read, self._said = BESIDE | frozenset(beside), list[Unknown]()

    @property
    def unknown(self) -> list[Unknown]:
        """Asked for when everything was read."""
        names = [name for name in self._query if name not in self._read]
        others = [Unknown(name, f"“{name[:SAID]}” is no filter here") for name in names]
        return [*self._said, *others]

    def label(self, name: str) -> str:
        return self._labels.get(name, name.capitalize())

    def say(self, name: str, said: str, known: str = "", **more: Any) -> None:
        """What is wrong with a value, and what is known or done instead."""
        self._said.append(Unknown(name, said, known=known, **more))

    def text(self, name: str, most: int = LONGEST) -> str:
        """At most that many characters; that there were more is said."""
        value = self._value(name)
        if len(value) > most:
            said = f"“{self.label(name)}” has {len(value)} characters"
            self.say(name, said, f" {most} are the most.", then=f"of which the first {most} count")
        return value[:most]

    def _value(self, name: str) -> str:
        self._read |= {name}
        return self._query.get(name, "").replace("\x00", "").strip()

    def term(self, name: str, terms: type[Term]) -> Term | None:
        """One of the terms, or none."""
        return next(iter(self.terms(name, terms)), None)

    def terms(self, name: str, terms: type[Term]) -> list[Term]:
        """Those of the terms that were asked for, in their order."""
        self._read |= {name}
        given = [value for value in self._query.getlist(name) if value]
        known = {term.value for term in terms}
        for value in given:
            if value not in known:
                self._other(name, value, sorted(known), list(terms))
        return [term for term in terms if term.value in given]

    def one_of(
        self,
        name: str,
        options: Callable[[], Collection[str]] | Collection[str],
        terms: Collection[str] = (),
    ) -> str:
        """A value of a list that is only asked for when there is something to look up; the page has words for
        these `terms` instead."""
        value = self.text(name)
        if not value:
            return ""
        known = options() if callable(options) else options
        if value in known:
            return value
        self._other(name, value, known, terms)
        return ""

    def called(self, name: str, exists: Callable[[str], bool]) -> str:
        """Part of a name; one that nothing has is said, and filters nothing."""
        value = self.text(name)
        if not value or exists(value):
            return value
        self.say(name, f"No {name} is called “{value[:SAID]}”")
        return ""

    def day(self, name: str) -> date | None:
        """A day of the project's calendar, as YYYY-MM-DD."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.no_day(name, value)
            return None

    def no_day(self, name: str, value: str) -> None:
        said = f"“{value[:SAID]}” is no day for “{self.label(name)}”"
        self.say(name, said, " Write it like 2026-03-31.")

    def number(self, name: str, least: int = 0, most: int = 10**18) -> int | None:
        """A whole number of this span, or none."""
        value = self.text(name)
        if value.isascii() and value.isdecimal() and least <= int(value[:19]) <= most:
            return int(value)
        if value:
            said = f"“{value[:SAID]}” is no number for “{self.label(name)}”"
            self.say(name, said, f" Write a whole number from {least} to {most}.")
        return None

    def order(self, keys: Collection[str]) -> str:
        """The column to sort by, with a `-` before it for the other way round; empty for the list's own
        order."""
        value = self.text("sort")
        if not value or value.removeprefix("-") in keys:
            return value
        self.say("sort", f"“{value[:SAID]}” is no column to sort by", named(keys))
        return ""

    def _other(self, name: str, value: str, known: Iterable[str], terms: Iterable[str] = ()) -> None:
        said = f"“{value[:SAID]}” is no choice of “{self.label(name)}”"
        self.say(name, said, named(known), terms=tuple(terms))


def refuse_no_workstream(uuid: UUID | str) -> None:
    """InvalidInput for a workstream that there is none of, by its public id."""
    if not Workstream.objects.filter(uuid=uuid).exists():
        refuse_unknown([Unknown("workstream", f"There is no workstream {uuid}")])


def some_workstream_is_called(name: str) -> bool:
    """By a part of its title, or by its slug."""
    return Workstream.objects.filter(Q(title__icontains=name) | Q(slug=name)).exists()


def usernames() -> list[str]:
    return list(User.objects.values_list("username", flat=True))
