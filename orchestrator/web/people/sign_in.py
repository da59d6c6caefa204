"""Signing in: name and password, then a code where the account has an authenticator app.

See design section 7.
"""

from typing import Any, Final

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import path
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import CodeWrong, Refusal, TooManyTries
from orchestrator.services.people.second_factor import check_code, is_enrolled
from orchestrator.services.people.sign_in import record_sign_in
from orchestrator.web.acting import now, typed
from orchestrator.web.admission import open_to_every_account
from orchestrator.web.people.first_password import SignInForm
from orchestrator.web.people.second_factor import PROVED
from orchestrator.web.people.session_limits import WHY_OVER, AccountBackend
from orchestrator.web.show import show

#: What the session keeps between the password and the code.
PENDING: Final = "signing_in"
#: Seconds in which the code has to be typed.
CODE_WITHIN: Final = 300
BACKEND: Final = f"{AccountBackend.__module__}.{AccountBackend.__qualname__}"


class SignIn(LoginView):
    template_name = "site/login.html"
    authentication_form = SignInForm

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        return super().get_context_data(**given) | {"why_over": self.request.session.get(WHY_OVER, "")}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        account = form.get_user()
        if not is_enrolled(account):
            return _signed_in(self.request, account, "password", self.get_success_url())
        self.request.session.cycle_key()
        self.request.session[PENDING] = {
            "account": account.pk,
            "password": account.get_session_auth_hash(),
            "since": timezone.now().timestamp(),
            "next": self.get_success_url(),
        }
        return redirect("login-code")


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step; without a password typed a moment ago it leads back to the first."""
    account = _pending_account(request)
    if account is None:
        return redirect("login")
    if request.method != "POST":
        return show(request, "site/login_code.html", {})
    try:
        kind = check_code(account=account, code=typed(request, "code"), now=now())
    except (CodeWrong, TooManyTries) as refusal:
        return _refused(request, refusal)
    following = request.session.pop(PENDING)["next"]
    return _signed_in(request, account, f"password and {kind}", following)


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return show(request, "site/login_code.html", {}, refusal=refusal)


def _pending_account(request: HttpRequest) -> User | None:
    """Whoever typed their password here less than five minutes ago, unless it was changed since."""
    pending = request.session.get(PENDING)
    if not pending or not 0 <= now().timestamp() - pending["since"] <= CODE_WITHIN:
        return None
    account = User.objects.filter(pk=pending["account"], is_active=True).first()
    if account is None or not constant_time_compare(account.get_session_auth_hash(), pending["password"]):
        return None
    return account


def _signed_in(request: HttpRequest, account: User, factors: str, following: str) -> HttpResponse:
    """First the history, then the session: nobody is signed in unrecorded."""
    record_sign_in(account=account, factors=factors, now=now())
    login(request, account, BACKEND)
    request.session.pop(WHY_OVER, None)
    request.session[PROVED] = factors != "password"
    return redirect(resolve_url(following))


urlpatterns = [
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/login/code/", code, name="login-code"),
    path("accounts/logout/", open_to_every_account(LogoutView.as_view()), name="logout"),
]
