"""Looking without touching: rows that only services write."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from orchestrator.admin.pages import page_of


class NamedValues(admin.AllValuesFieldListFilter):
    """A filter by the values that there are, in which what is empty has a name too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}


class NoDelete(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Nothing is ever deleted, neither one by one nor in bulk (LC-10)."""

    actions = None
    show_full_result_count = False
    list_per_page = 50

    def view_on_site(self, obj: Model) -> str | None:
        """The link to the page that shows the row."""
        return page_of(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(NoDelete):
    """State moves through services, which check the rules and write history; here it can only be read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
