"""Accounts and the roles they hold; executors and the tokens they sign in with."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from orchestrator.admin.read_only import ReadOnly
from orchestrator.admin.site import site
from orchestrator.core.errors import Refusal
from orchestrator.models import AccessToken, Executor
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.accounts import account_state, record_changes, record_password
from orchestrator.services.people.names import claim_account_name
from orchestrator.services.people.second_factor import reset
from orchestrator.services.people.sessions import sign_out_everywhere
from orchestrator.web.people.session_limits import begin


class NamedApart(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A name that nobody can take for another one's.

    The admin saves in the transaction that this looks in.
    """

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

    actions = ("sign_out", "reset_second_factor")
    add_form = NewPerson
    form = Person
    list_display = ("username", "role_names", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active", "is_staff")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Roles and access",
            {"fields": ("groups", "is_active", "is_staff", "is_superuser", "user_permissions")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Roles")
    def role_names(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever changes accounts can make anybody an administrator, so nobody else may."""
        return _is_administrator(request)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Read what the account was.

        Django's view saves it, its roles and what is recorded in one transaction.
        """
        form.state_before = account_state(obj.pk)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        actor, now = Actor.person(request.user), timezone.now()  # type: ignore[arg-type]
        with unit_of_work():
            record_changes(account=form.instance, before=form.state_before, actor=actor, now=now)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Somebody else's new password ends their sessions.

        The answer is still lazy, and nothing more is written.
        """
        with unit_of_work():
            before = account_state(int(id)) if id.isdecimal() and len(id) < 19 else None
            answer: HttpResponse = super().user_change_password(request, id, form_url)
            account = User.objects.filter(pk=id).first() if before else None
            if before and account and account.password != before.password:
                actor, now = Actor.person(request.user), timezone.now()  # type: ignore[arg-type]
                record_password(account=account, before=before, actor=actor, now=now)
                if account == request.user:
                    begin(request, now)
        return answer

    @admin.action(description="Sign out everywhere")
    def sign_out(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for account in chosen.order_by("pk"):
            sign_out_everywhere(
                account=account,
                actor=Actor.person(request.user),  # type: ignore[arg-type]
                now=timezone.now(),
            )
            self.message_user(request, f"{account} is signed out everywhere.")

    @admin.action(description="Reset the second factor (authenticator app and recovery codes)")
    def reset_second_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for account in chosen.order_by("pk"):
            try:
                reset(account=account, actor=Actor.person(request.user), now=timezone.now())  # type: ignore[arg-type]
            except Refusal as refusal:
                self.message_user(request, f"{refusal.message} {refusal.way_out}", messages.ERROR)
            else:
                self.message_user(
                    request, f"{account} signs in without a second factor until a new one is set up."
                )


def _is_administrator(request: HttpRequest) -> bool:
    account = request.user
    return account.is_active and account.is_superuser


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

    list_display = (
        "label",
        "executor",
        "scopes",
        "created_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_select_related = ("executor", "created_by")
    exclude = ("digest",)
