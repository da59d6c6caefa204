"""A person's authenticator app: set up, recovery codes, turned off.

Where the policy asks for it, before all else.
"""

import base64
from collections.abc import Callable
from typing import Final

import segno
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orchestrator.core.errors import Refusal, SecondFactorMissing
from orchestrator.core.people.second_factor import in_groups
from orchestrator.services.people import second_factor
from orchestrator.services.people.first_password import owes_a_password
from orchestrator.web.acting import now, typed
from orchestrator.web.admission import open_to_every_account
from orchestrator.web.people.owed import owed
from orchestrator.web.people.session_limits import begin
from orchestrator.web.show import show

#: In the session: whether its person proved a second factor.
PROVED: Final = "second_factor"
#: In the session: the secret that a new app is being set up with.
SECRET: Final = "new_secret"  # noqa: S105 (the name of a place, not a secret)
#: What an account may open that still has to set up a second factor.
OPEN: Final = frozenset({"second-factor", "logout", "login", "login-code"})


class SecondFactorMiddleware:
    """An account that needs a second factor gets nothing but the page to set it up, until it has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        if not _owes_one(request):
            return None
        account = request.user.get_username()
        refusal = SecondFactorMissing(f"{account} has to sign in with a second factor before anything else.")
        return owed(request, refusal, "second-factor")


def _owes_one(request: HttpRequest) -> bool:
    match = request.resolver_match
    if match is not None and match.view_name in OPEN:
        return False
    account = request.user
    if not isinstance(account, User) or not account.is_authenticated or request.session.get(PROVED):
        return False
    if owes_a_password(account):
        return False  # that comes first
    return second_factor.is_required(account)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Set the app up; a POST with its first code does it and answers with the recovery codes, shown once."""
    account = _account(request)
    if second_factor.is_enrolled(account):
        return show(request, "account/second_factor.html", {"required": second_factor.is_required(account)})
    if request.method != "POST":
        return _enrolment(request, account)
    moment = now()
    try:
        codes = second_factor.enrol(
            account=account, secret=_secret(request), code=typed(request, "code"), now=moment
        )
    except Refusal as refusal:
        return _enrolment(request, account, refusal)
    request.session.pop(SECRET)
    request.session[PROVED] = True
    begin(request, moment)
    return show(request, "account/recovery_codes.html", {"codes": codes, "first": True})


def _enrolment(request: HttpRequest, account: User, refusal: Refusal | None = None) -> HttpResponse:
    secret = _secret(request)
    address = second_factor.enrolment_address(account, secret)
    context = {
        "picture": qr_picture(address),
        "address": address,
        "secret": in_groups(base64.b32encode(bytes.fromhex(secret)).decode()).replace("-", " "),
        "required": second_factor.is_required(account),
    }
    return show(request, "account/enrol.html", context, refusal=refusal)


def qr_picture(text: str) -> SafeString:
    """Dark on light whatever the colours of the page are, because cameras want it so."""
    code = segno.make(text, error="m", micro=False)
    return mark_safe(  # noqa: S308 (made by the library from attributes that are written here; the text is drawn)
        code.svg_inline(
            scale=5,
            border=4,
            dark="#000",
            light="#fff",
            svgclass="qr",
            lineclass=None,
            title="QR code for an authenticator app; the same secret stands below as text",
        )
    )


def _secret(request: HttpRequest) -> str:
    """One for the whole visit, so that a wrong code or a reload does not ask for another scan."""
    if SECRET not in request.session:
        request.session[SECRET] = second_factor.new_secret()
    secret: str = request.session[SECRET]
    return secret


@never_cache
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    try:
        codes = second_factor.renew_recovery_codes(
            account=_account(request), code=typed(request, "code"), now=now()
        )
    except Refusal as refusal:
        return _managing(request, refusal)
    return show(request, "account/recovery_codes.html", {"codes": codes})


@require_POST
def turn_off(request: HttpRequest) -> HttpResponse:
    moment = now()
    try:
        second_factor.turn_off(account=_account(request), code=typed(request, "code"), now=moment)
    except Refusal as refusal:
        return _managing(request, refusal)
    request.session[PROVED] = False
    begin(request, moment)
    messages.success(request, "The authenticator app is turned off; your password alone signs you in.")
    return redirect("account")


def _managing(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {"required": second_factor.is_required(_account(request))}
    return show(request, "account/second_factor.html", context, refusal=refusal)


def _account(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the middleware lets nobody else in"
    return request.user


urlpatterns = [
    path("account/second-factor/", open_to_every_account(page), name="second-factor"),
    path("account/second-factor/codes/", open_to_every_account(renew_codes), name="recovery-codes"),
    path("account/second-factor/off/", open_to_every_account(turn_off), name="second-factor-off"),
]
