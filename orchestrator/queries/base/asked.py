"""The filters of a list as an address gives them: what is known counts, what is not is said (FR-025)."""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from enum import StrEnum
from typing import TypeVar

from django.contrib.auth.models import User
from django.http import QueryDict

Term = TypeVar("Term", bound=StrEnum)
#: Characters of a value that are read, and of an unknown one that are said again.
LONGEST, SAID = 200, 60


class Asked:
    """One address. `unknown` are sentences about the values that mean nothing here; they filter nothing."""

    def __init__(self, query: QueryDict) -> None:
        self._query = query
        self.unknown: list[str] = []

    def text(self, name: str) -> str:
        return self._query.get(name, "").replace("\x00", "").strip()[:LONGEST]

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

    def day(self, name: str) -> date | None:
        """A day of the project's calendar, as YYYY-MM-DD."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.unknown.append(f"“{value[:SAID]}” is no day (“{name}”): write it like 2026-03-31.")
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
        few = sorted((one for one in known if one), key=str.casefold)
        choices = f" Known: {', '.join(few)}." if 0 < len(few) <= 12 else ""
        self.unknown.append(f"“{value[:SAID]}” is no {name} here, so it filters nothing.{choices}")


def usernames() -> list[str]:
    return list(User.objects.values_list("username", flat=True))
