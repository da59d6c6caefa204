"""The one door of the pages: an account without a role sees its own account and nothing else.

REST, MCP and commands have theirs in `services/people/callers.py`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from orchestrator.core.errors import NoRole
from orchestrator.core.terms import Role
from orchestrator.queries.base.roles import roles_of
from orchestrator.web.refusals import refused

View = Callable[..., HttpResponse]


def roles_in(request: HttpRequest) -> frozenset[Role]:
    """The roles of who is signed in, asked once in a request."""
    known: frozenset[Role] | None = getattr(request, "roles", None)
    if known is None:
        known = request.roles = roles_of(request.user)  # type: ignore[attr-defined]
    return known


def open_to_every_account(view: View) -> View:
    """A page about the account itself: signing out, its tokens. Every other page asks for a role."""

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        return view(request, *args, **values)

    opened.asks_no_role = True  # type: ignore[attr-defined]
    return opened


def admitted(view: View) -> View:
    """The same question for a page whose address signs machines in by itself (`api/negotiated.py`)."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        return refusal_without_role(request) or view(request, *args, **values)

    return asked


class AdmissionMiddleware:
    """Deny by default: whoever is signed in needs a role, unless the view says that it asks for none.

    Views that sign their callers in themselves (`login_not_required`) are the API, which asks in its own way,
    and the sign-in page. It stands behind the middleware that asks for a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, _args: Any, _values: Any) -> HttpResponse | None:
        if not getattr(view, "login_required", True) or getattr(view, "asks_no_role", False):
            return None
        return refusal_without_role(request)


def refusal_without_role(request: HttpRequest) -> HttpResponse | None:
    """The refusal as a page, for a signed-in account without a role; None for everybody who may come in."""
    if not request.user.is_authenticated or roles_in(request):
        return None
    return refused(request, NoRole(f"{request.user.get_username()} holds no role here."))
