"""An executor as whoever operates the installation sees it: its tokens, and its retirement (FR-027)."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import FormSentBefore, NotFound, Refusal
from orchestrator.models import Assignment, Executor
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.form_keys import Made
from orchestrator.services.people.executors import (
    issue_token,
    retire_executor,
    revoke_token,
    why_not_issue,
    why_not_manage,
    why_not_retire,
)
from orchestrator.services.people.operating import may_operate
from orchestrator.web.acting import act_of, does, now, number, off, perform, viewer
from orchestrator.web.admission import roles_in
from orchestrator.web.once import once
from orchestrator.web.people.tokens import SHOWN_BEFORE, NewToken, tokens_of
from orchestrator.web.show import show


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def executor(request: HttpRequest, name: str) -> HttpResponse:
    """The page; a POST makes a token and answers with the only page that ever shows its secret."""
    if request.method == "POST":
        issue_token.refuse(viewer(request).actor)
    found = _found(request, name)
    form = NewToken(request.POST or None, account=found.user)
    if request.method != "POST":
        return _page(request, found, form)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    secrets: list[str] = []

    def make() -> Made:
        secrets.append(_issue(request, found, form))
        return Made(f"The token {form.cleaned_data['label']} is made.", reverse("executor", args=[name]))

    try:
        made = once(request, make)
    except FormSentBefore as refusal:
        form.add_error(None, f"{refusal.message} {refusal.way_out}")
        return _page(request, found, form, status=refusal.status)
    except Refusal as refusal:
        return _page(request, found, form, refusal=refusal)
    if not secrets:
        messages.info(request, f"{made.said} {SHOWN_BEFORE}")
        return redirect(made.address)
    return _page(request, found, NewToken(None, account=found.user), secret=secrets[0])


@act_of("executor", "name")
def revoke(request: HttpRequest, name: str) -> HttpResponse:
    found = _found(request, name)
    form = NewToken(None, account=found.user)
    act, again = partial(_revoke, request), partial(_page, request, found, form)
    return perform(request, act, then=reverse("executor", args=[name]), again=again, several=True)


@act_of("executor", "name")
def retire(request: HttpRequest, name: str) -> HttpResponse:
    found = _found(request, name)
    form = NewToken(None, account=found.user)
    act, again = partial(_retire, request, name), partial(_page, request, found, form)
    return perform(request, act, then=reverse("executor", args=[name]), again=again, several=True)


@does(issue_token)
def _issue(request: HttpRequest, found: Executor, form: NewToken) -> str:
    at, given = now(), form.cleaned_data
    days = int(given["days"])
    _, secret = issue_token(
        executor=found,
        label=given["label"],
        scopes=frozenset(given["scopes"]),
        actor=viewer(request).actor,
        now=at,
        expires_at=at + timedelta(days=days) if days else None,
        in_browser=True,
    )
    return secret


def _revoke(request: HttpRequest) -> str:
    token = revoke_token(token_id=number(request, "token"), actor=viewer(request).actor, now=now())
    return f"The token {token.label} is revoked; nothing can sign in with it any more."


def _retire(request: HttpRequest, name: str) -> str:
    count = retire_executor(name=name, actor=viewer(request).actor, now=now())
    return f"{name} is retired: {count} token{'' if count == 1 else 's'} revoked."


def _found(request: HttpRequest, name: str) -> Executor:
    """Whoever may operate sees every executor, everybody else their own."""
    found = Executor.objects.select_related("user").filter(name=name).first()
    actor = Actor.person(request.user, roles_in(request))  # type: ignore[arg-type]
    if found is None or not (found.user_id == actor.account.pk or may_operate(actor)):
        raise NotFound(f"There is no executor {name}.", recovery="Choose one from the page Operating.")
    return found


def _page(
    request: HttpRequest,
    found: Executor,
    form: NewToken,
    refusal: Refusal | None = None,
    *,
    status: int = 200,
    secret: str = "",
) -> HttpResponse:
    live = Assignment.objects.filter(executor=found, released_at=None)
    actor = viewer(request).actor
    others = off(why_not_manage(found, actor))
    context = {
        "executor": found,
        "tokens": tokens_of(found),
        "held": live.select_related("attempt__task__step", "attempt__task__workstream").order_by(
            "claimed_at"
        ),
        "form": form,
        "secret": secret,
        "may_manage": not others,
        "why_not_issue": off(why_not_issue(found, actor)),
        "why_not": others,
        "why_not_retire": off(why_not_retire(found, actor)),
        "now": timezone.now(),
    }
    return show(request, "tokens/executor.html", context, refusal=refusal, status=status)


urlpatterns: list[Any] = [
    path("operating/executors/<slug:name>/", executor, name="executor"),
    path("operating/executors/<slug:name>/revoke", revoke, name="executor-revoke"),
    path("operating/executors/<slug:name>/retire", retire, name="executor-retire"),
]
