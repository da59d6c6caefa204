"""Sessions end.

After a time without a request, some hours after the sign-in, and when the account says so.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from orchestrator.core.people.browsers import browser_in_words
from orchestrator.core.people.sessions import ADDRESS, BEGUN, BROWSER, SEEN, SEEN_EVERY, SIGNED_IN
from orchestrator.models.people.open_session import SessionStore
from orchestrator.queries.base.open_sessions import moment, why_session_over
from orchestrator.web.people.addresses import address_of

WHY_OVER: Final = "why_over"
#: Parts of pages that refresh themselves are not somebody who works here (`static/poll.js`).
POLL: Final = "X-Poll"


class AccountBackend(ModelBackend):
    """Reads with the account when it was signed out everywhere and whether its password is its own, in the
    same statement."""

    def get_user(self, user_id: int) -> User | None:
        account = User.objects.select_related("session_end", "given_password").filter(pk=user_id).first()
        return account if account is not None and self.user_can_authenticate(account) else None


class SessionLimitsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self._look(request, request.user, timezone.now())
        return self.get_response(request)

    def _look(self, request: HttpRequest, account: User, now: datetime) -> None:
        """End the session, or note that it was used; the note is written once a minute."""
        if why := why_session_over(request.session, account, now):
            logout(request)
            request.session[WHY_OVER] = why
        elif now - moment(request.session, SEEN) >= SEEN_EVERY and POLL not in request.headers:
            request.session[SEEN] = now.timestamp()


def begin(request: HttpRequest, now: datetime) -> None:
    """A session begins, or goes on alone after all others of its account were ended."""
    request.session[BEGUN] = request.session[SEEN] = now.timestamp()


@receiver(user_logged_in, dispatch_uid="orchestrator.session_limits")
def begin_with_sign_in(request: HttpRequest, **_: object) -> None:
    """However somebody was signed in: Django says so by this signal alone. Sessions that are over go."""
    now = timezone.now()
    SessionStore.clear_expired()
    begin(request, now)
    request.session[SIGNED_IN] = now.timestamp()
    request.session[BROWSER] = browser_in_words(request.headers.get("User-Agent", ""))
    request.session[ADDRESS] = address_of(request)
