"""Whoever signs in with a password that somebody else set chooses another before anything else (FR-011)."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from orchestrator.core.errors import NotAllowed
from orchestrator.services.people.first_password import owes_a_password, why_first_password_ended
from orchestrator.web.acting import now
from orchestrator.web.people.owed import owed

#: What such an account may open.
OPEN: Final = frozenset({"password", "logout", "login", "login-code"})


class SignInForm(AuthenticationForm):
    """Says of the right password that its time is over; of a wrong one nothing."""

    ended = ""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        self.ended = why_first_password_ended(user, now())
        if self.ended:
            raise ValidationError(self.ended)


class FirstPasswordMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: Any, _values: Any
    ) -> HttpResponse | None:
        match, account = request.resolver_match, request.user
        if (match is not None and match.view_name in OPEN) or not isinstance(account, User):
            return None
        if not owes_a_password(account):
            return None
        refusal = NotAllowed(
            f"{account} has a password that somebody else set, and chooses another before anything else.",
            recovery="Change it under your name, in the browser.",
        )
        return owed(request, refusal, "password")
