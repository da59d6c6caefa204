"""A person's own page: who they are here, how they sign in, and signing out everywhere (FR-011)."""

import time
from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orchestrator.core.errors import InvalidInput, PasswordWeak, TooManyTries
from orchestrator.core.people.guesses import Guesses
from orchestrator.models import RecoveryCode
from orchestrator.queries.base.open_sessions import session_name, sessions_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.people import second_factor
from orchestrator.services.people.accounts import change_password
from orchestrator.services.people.first_password import owes_a_password
from orchestrator.services.people.sessions import end_session, sign_out_everywhere
from orchestrator.web.acting import now, typed
from orchestrator.web.admission import open_to_every_account
from orchestrator.web.people.session_limits import begin
from orchestrator.web.show import show

#: Wrong present passwords of an account, counted in this process for a quarter of an hour.
TRIES: Final = 10
wrong = Guesses(900)


class PasswordForm(forms.Form):
    """Three fields that no browser fills in wrongly; the rules are the service's."""

    old = forms.CharField(
        label="Present password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="New password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password again",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError("This is not the same as the new password above.")
        return again


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    enrolled = second_factor.is_enrolled(person)
    context = {
        "enrolled": enrolled,
        "required": second_factor.is_required(person),
        "sessions": sessions_of(person, request.session, now()),
        "codes_left": RecoveryCode.objects.filter(user=person, spent_at=None).count() if enrolled else 0,
    }
    return show(request, "account/page.html", context)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A POST changes it, ends every other session of the account and goes on with this one."""
    form = PasswordForm(request.POST or None, label_suffix="")
    context = {
        "form": form,
        "rules": password_validators_help_texts(),
        "owed": owes_a_password(_person(request)),
    }
    if request.method != "POST":
        return show(request, "account/password.html", context)
    if form.is_valid() and _changed(request, form):
        messages.success(
            request, "Your password is changed. Wherever else you were signed in, you are signed out."
        )
        return redirect("account")
    return show(request, "account/password.html", context, status=422)


def _changed(request: HttpRequest, form: PasswordForm) -> bool:
    """TooManyTries after ten wrong present passwords.

    Whoever finds an open session is not to guess it there.
    """
    person, moment, given = _person(request), now(), form.cleaned_data
    if wait := wrong.wait(str(person.pk), TRIES, time.monotonic()):
        raise TooManyTries("The present password was typed wrongly too often.", retry_after=wait)
    try:
        change_password(account=person, old=given["old"], new=given["new"], now=moment)
    except InvalidInput as refusal:
        wrong.failed(str(person.pk), time.monotonic())
        form.add_error("old", f"{refusal.message} {refusal.way_out}")
        return False
    except PasswordWeak as refusal:
        form.add_error("new", f"{refusal.message} {refusal.way_out}")
        return False
    update_session_auth_hash(request, person)
    begin(request, moment)
    return True


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Everywhere else; this session goes on."""
    person, moment = _person(request), now()
    sign_out_everywhere(account=person, actor=Actor.person(person), now=moment)
    begin(request, moment)
    messages.success(request, "Wherever else you were signed in, you are signed out. This session goes on.")
    return redirect("account")


@require_POST
def end_one(request: HttpRequest) -> HttpResponse:
    """One session; the one that this is asked by is signed out."""
    person, session = _person(request), typed(request, "session")
    end_session(account=person, session=session, now=now())
    if session == session_name(request.session.session_key):
        logout(request)
        return redirect("login")
    messages.success(request, "That session is over. This one goes on.")
    return redirect("account")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the middleware lets nobody else in"
    return request.user


urlpatterns = [
    path("account/", open_to_every_account(account), name="account"),
    path("account/password/", open_to_every_account(password), name="password"),
    path("account/sign-out/", open_to_every_account(sign_out), name="sign-out-everywhere"),
    path("account/sign-out/one/", open_to_every_account(end_one), name="sign-out-session"),
]
