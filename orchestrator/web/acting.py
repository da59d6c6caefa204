"""How a page runs an act: who acts, what was typed, what a refusal shows (FR-025).

Every form posts to its act, the act calls one service, and the answer is a redirect. A refusal renders the
same page again with the message, the way out and what was typed. With htmx the answer is the part that the
form stands in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.messages.storage.base import BaseStorage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from orchestrator.core import limits
from orchestrator.core.errors import InvalidInput, NotFound, Refusal
from orchestrator.core.terms import Role
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import Act, why_none
from orchestrator.services.base.form_keys import Made
from orchestrator.services.base.masking import masked_text, notice_of, noticing
from orchestrator.web.admission import roles_in
from orchestrator.web.once import once
from orchestrator.web.wording import ended, told

#: Characters of one typed field; longer texts belong into an output file.
TEXT_LIMIT = limits.TEXT_CHARACTERS
Chosen = TypeVar("Chosen")
Do = TypeVar("Do", bound=Callable[..., Any])
View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who looks at a page, with the roles read once."""

    actor: Actor
    roles: frozenset[Role]

    @property
    def user(self) -> User:
        return self.actor.account

    def lacks(self, act: Act[..., Any]) -> str:
        """Why the control of an act is off for this person, whatever the row; empty when they may do it."""
        return off(act.why_not(self.actor))


def viewer(request: HttpRequest) -> Viewer:
    roles = roles_in(request)
    return Viewer(Actor.person(request.user, roles), roles)  # type: ignore[arg-type]


def off(refusal: Refusal | None, reader: str = "") -> str:
    """Why a control is off, as its page says it to `reader`; empty when nothing is refused."""
    if refusal is None:
        return ""
    if role := refusal.details.get("role"):
        return f"You need the role {role}. Ask someone who has it."
    return told(f"{ended(refusal.message)} {refusal.way_out}", reader)


def does(*acts: Act[..., Any]) -> Callable[[Do], Do]:
    """Names the acts of a function that handles a form, which begins with the request.

    Whoever may do none of them is refused before anything that they typed is looked at.
    """

    def decorate(handle: Do) -> Do:
        @wraps(handle)
        def admitted(request: HttpRequest, *arguments: Any, **values: Any) -> Any:
            if refusal := why_none(acts, viewer(request).actor):
                raise refusal
            with noticing() as masked:
                answer = handle(request, *arguments, **values)
            if masked:
                messages.warning(request, notice_of(masked))
            return answer

        admitted.acts = acts  # type: ignore[attr-defined]
        return cast(Do, admitted)

    return decorate


def now() -> datetime:
    return timezone.now()


def typed(request: HttpRequest, field: str) -> str:
    """The text of a field without outer blanks; refuses what no column can hold."""
    text = request.POST.get(field, "").replace("\r\n", "\n").strip()
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidInput(f"The field {field} holds characters that are not text.", field=field)
    if len(text) > TEXT_LIMIT:
        raise InvalidInput(
            f"The field {field} has {len(text)} characters; {TEXT_LIMIT} is the most.", field=field
        )
    return text


def number(request: HttpRequest, field: str) -> int:
    """A whole number from a field that the page itself filled in."""
    text = request.POST.get(field, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(f"The field {field} must be a whole number.", field=field)
    return int(text)


def number_in(text: str) -> int:
    """A number that an address or a form names (a version, say); 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def chosen(acts: Mapping[str, Chosen], name: str) -> Chosen:
    """The act that the address names."""
    if name not in acts:
        raise NotFound(f"There is no act {name!r} here.")
    return acts[name]


def act_of(page: str, *keep: str) -> Callable[[View], View]:
    """A view that only takes POST.

    Opened as an address (after a refusal) it leads to its page, named with `keep`.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def run(request: HttpRequest, **values: Any) -> HttpResponse:
            if request.method == "POST":
                return view(request, **values)
            return redirect(filtered(request, page, **{name: values[name] for name in keep}))

        return run

    return decorate


def filtered(request: HttpRequest, page: str, **keep: Any) -> str:
    """The address of a page with the filters that the form was sent with."""
    return f"{reverse(page, kwargs=keep)}{filters_of(request)}"


def filters_of(request: HttpRequest) -> str:
    """What a form adds to its address, so that the list is filtered alike afterwards."""
    kept = request.GET.copy()
    for passing in ("page", "seen", "stood"):
        kept.pop(passing, None)
    return f"?{kept.urlencode()}" if kept else ""


def perform(
    request: HttpRequest,
    do: Callable[[], str],
    *,
    then: str | Callable[[], str],
    again: Callable[[Refusal], HttpResponse],
    several: bool = False,
) -> HttpResponse:
    """Run one act. Show what it says at the address `then`; or show the page `again` with the refusal.

    `then` is asked after the act where it is not known before. A form with a key that is sent again does
    nothing, and says what came of it; `several` is for acts of many transactions.
    """

    def make() -> Made:
        said = do()
        return Made(said, then if isinstance(then, str) else then())

    try:
        made = once(request, make, several=several)
    except Refusal as refusal:
        return again(refusal)
    return proceed(request, made)


def proceed(request: HttpRequest, made: Made) -> HttpResponse:
    """After an act: say what happened on the page where it can be seen, loaded anew and seen from its top."""
    said, then = masked_text(made.said), made.address
    if said and said not in _unread(request):
        messages.add_message(request, messages.INFO if made.earlier else messages.SUCCESS, said)
    return HttpResponseClientRedirect(then) if request.htmx else redirect(then)  # type: ignore[attr-defined]


def _unread(request: HttpRequest) -> set[str]:
    """What the next page will say: a double click is answered twice, and read once."""
    waiting = messages.get_messages(request)
    found = {str(message) for message in waiting}
    if isinstance(waiting, BaseStorage):
        waiting.used = False  # They still wait.
    return found
