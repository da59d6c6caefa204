"""Looking without touching: rows that only services write."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


class NoDelete(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Nothing is ever deleted, neither one by one nor in bulk (LC-10)."""

    actions = None
    show_full_result_count = False
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(NoDelete):
    """State moves through services, which check the rules and write history; here it can only be read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
