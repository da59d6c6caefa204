"""Accounts and the roles they hold; executors and the tokens they sign in with."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest

from orchestrator.admin.read_only import ReadOnly
from orchestrator.admin.site import site
from orchestrator.core.errors import Refusal
from orchestrator.models import AccessToken, Executor
from orchestrator.services.names import claim_account_name


class NamedApart(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A name that nobody can take for another one's. The admin saves in the transaction that this looks in."""

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        try:
            claim_account_name(name, account=User.objects.filter(pk=self.instance.pk).first())
        except Refusal as refusal:
            raise forms.ValidationError(f"{refusal.message} {refusal.way_out}") from refusal
        return name


class NewPerson(NamedApart, AdminUserCreationForm):  # type: ignore[type-arg]  # not generic at run time
    """Also refuses, as Django does, a name that differs in case only: that one looks alike as well."""


class Person(NamedApart, UserChangeForm):  # type: ignore[type-arg]  # not generic at run time
    pass


@admin.register(User, site=site)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """An account is made inactive, never deleted: the history names it."""

    actions = None
    add_form = NewPerson
    form = Person
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
