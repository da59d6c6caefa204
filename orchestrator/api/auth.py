"""Who calls: a bearer token, or the session of a signed-in person with a CSRF token (B27, B30).

A call that an operator makes in this process (`manage.py call`) comes with its caller already:
`local_caller`, which nothing that arrives by HTTP can set.
"""

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from ninja.utils import check_csrf

from orchestrator.api.bearer import caller_by_bearer
from orchestrator.core.errors import NotAllowed, NotSignedIn
from orchestrator.services.people.callers import Caller, caller_by_session
from orchestrator.web.people.addresses import address_of, network_of


class TokenOrSession(HttpBearer):
    """Deny by default. A request with a token is judged by the token alone, whatever its cookies say."""

    def __call__(self, request: HttpRequest) -> Caller:
        local: Caller | None = getattr(request, "local_caller", None)
        if local is not None:
            return local
        if "Authorization" in request.headers:
            caller: Caller | None = super().__call__(request)
            if caller is None:
                raise NotSignedIn("The Authorization header holds no bearer token.")
            return caller
        return self._by_session(request)

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        return caller_by_bearer(token, address_of(request), network_of(request) or "", timezone.now())

    def _by_session(self, request: HttpRequest) -> Caller:
        if not request.user.is_authenticated:
            raise NotSignedIn("This address needs a token or a session.")
        if check_csrf(request) is not None:
            raise NotAllowed(
                "The request has no valid CSRF token.",
                recovery="Send the X-CSRFToken header with a session, or use a bearer token.",
            )
        return caller_by_session(request.user)


def caller_of(request: HttpRequest) -> Caller:
    """The caller that the API has already let in."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller
