"""The filters of a list as an address gives them: what is known counts, what is not is said (FR-025).

A page says it and filters nothing by it, so that an old link still opens; a file or a machine's answer has no
place to say it, and is refused.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
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


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value of `field` that means nothing here, or not all of it; as text it is what a page says: what is
    wrong (`said`), what follows (`then`), and what is known."""

    field: str
    said: str
    then: str = "so it filters nothing"
    known: str = ""

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
        refuse_unknown([_not_among(field, value, options)])


def _not_among(field: str, value: str, known: Iterable[str]) -> Unknown:
    return Unknown(field, f"“{value[:SAID]}” is no {field} here", known=named(known))


def named(known: Iterable[str]) -> str:
    """What is known instead, as a sentence behind another; empty where that is nothing, or too much."""
    few = sorted((one for one in known if one), key=str.casefold)
    return f" Known: {', '.join(few)}." if 0 < len(few) <= FEW else ""


class Asked:
    """One address. `unknown` are the values that mean nothing here; they filter nothing."""

    def __init__(self, query: QueryDict) -> None:
        self._query = query
        self.unknown: list[Unknown] = []

    def text(self, name: str, most: int = LONGEST) -> str:
        """At most that many characters; that there were more is said."""
        value = self._query.get(name, "").replace("\x00", "").strip()
        if len(value) > most:
            said = f"“{name}” has {len(value)} characters"
            self.unknown.append(
                Unknown(name, said, f"of which the first {most} count", f" {most} are the most.")
            )
        return value[:most]

    def term(self, name: str, terms: type[Term]) -> Term | None:
        """One of the terms, or none."""
        return next(iter(self.terms(name, terms)), None)

    def terms(self, name: str, terms: type[Term]) -> list[Term]:
        """Those of the terms that were asked for, in their order."""
        given = [value for value in self._query.getlist(name) if value]
        known = {term.value for term in terms}
        for value in given:
            if value not in known:
                self._say(name, value, sorted(known))
        return [term for term in terms if term.value in given]

    def one_of(self, name: str, options: Callable[[], Collection[str]] | Collection[str]) -> str:
        """A value of a list that is only asked for when there is something to look up."""
        value = self.text(name)
        if not value:
            return ""
        known = options() if callable(options) else options
        if value in known:
            return value
        self._say(name, value, known)
        return ""

    def called(self, name: str, exists: Callable[[str], bool]) -> str:
        """Part of a name; one that nothing has is said, and filters nothing."""
        value = self.text(name)
        if not value or exists(value):
            return value
        self.unknown.append(Unknown(name, f"No {name} is called “{value[:SAID]}”"))
        return ""

    def day(self, name: str) -> date | None:
        """A day of the project's calendar, as YYYY-MM-DD."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            said = f"“{value[:SAID]}” is no day (“{name}”)"
            self.unknown.append(Unknown(name, said, known=" Write it like 2026-03-31."))
            return None

    def number(self, name: str) -> int:
        """A number of something, 0 for none; it is part of a link, and nobody types it."""
        value = self.text(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0

    def order(self, keys: Collection[str]) -> str:
        """The column to sort by, with a `-` before it for the other way round; empty for the list's own
        order."""
        return self.one_of("sort", [*keys, *(f"-{key}" for key in keys)])

    def _say(self, name: str, value: str, known: Iterable[str]) -> None:
        self.unknown.append(_not_among(name, value, known))


def refuse_no_workstream(uuid: UUID | str) -> None:
    """InvalidInput for a workstream that there is none of, by its public id."""
    if not Workstream.objects.filter(uuid=uuid).exists():
        refuse_unknown([Unknown("workstream", f"There is no workstream {uuid}")])


def some_workstream_is_called(name: str) -> bool:
    """By a part of its title, or by its slug."""
    return Workstream.objects.filter(Q(title__icontains=name) | Q(slug=name)).exists()


def usernames() -> list[str]:
    return list(User.objects.values_list("username", flat=True))
