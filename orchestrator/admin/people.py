"""Accounts and the roles they hold; executors and the tokens they sign in with."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest

from orchestrator.admin.read_only import ReadOnly
from orchestrator.admin.site import site
from orchestrator.models import AccessToken, Executor


@admin.register(User, site=site)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """An account is made inactive, never deleted: the history names it."""

    actions = None
    list_display = ("username", "role_names", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active", "is_staff")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Roles and access", {"fields": ("groups", "is_active", "is_staff", "is_superuser", "user_permissions")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Roles")
    def role_names(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Group, site=site)
class RoleAdmin(ReadOnly):
    """Roles are fixed by the rules; who holds one is set on the account."""

    list_display = ("name",)


@admin.register(Executor, site=site)
class ExecutorAdmin(ReadOnly):
    list_display = ("name", "kind", "user", "created_at")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")


@admin.register(AccessToken, site=site)
class AccessTokenAdmin(ReadOnly):
    """Secrets are stored as keyed hashes, and not even the hash is shown."""

    list_display = ("label", "executor", "scopes", "created_by", "created_at", "revoked_at")
    list_select_related = ("executor", "created_by")
    exclude = ("digest",)
