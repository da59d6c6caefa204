"""A person's executors and the tokens they sign in with; a secret is shown once (FR-027, design section 7)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Executor
from orchestrator.services.actor import Actor
from orchestrator.services.executors import SCOPES, issue_token, register_executor, revoke_token

SCOPE_WORDS = {
    "read": "read: see tasks, plans and history",
    "work": "work: claim, report and complete attempts, ask and answer questions",
    "manage": "manage: submit plans, accept and archive workstreams",
}


class TokenForm(forms.Form):
    executor = forms.RegexField(
        r"^[A-Za-z0-9_-]{1,60}$",
        help_text="A new name registers a new executor. Letters, digits, - and _; like nobody else's.",
        error_messages={"invalid": "Use letters, digits, - and _ only, at most 60."},
    )
    kind = forms.ChoiceField(
        help_text="A person's token acts as you, and the history says “with a token”.",
        choices=[(kind.value, kind.value.capitalize()) for kind in ExecutorKind],
        initial=ExecutorKind.AGENT,
    )
    label = forms.CharField(label="What the token is for", max_length=100)
    scopes = forms.MultipleChoiceField(
        choices=[(scope, SCOPE_WORDS.get(scope, scope)) for scope in sorted(SCOPES)],
        initial=["read", "work"],
        widget=forms.CheckboxSelectMultiple,
        label="What it may do",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; a POST makes a token and answers with the only page that ever shows its secret."""
    form = TokenForm(request.POST or None, label_suffix="")
    if request.method != "POST":
        return _show(request, form)
    if not form.is_valid():
        return _show(request, form, status=422)
    secret = _issue(request, form)
    return _show(request, TokenForm(label_suffix=""), secret=secret, name=form.cleaned_data["executor"])


def _issue(request: HttpRequest, form: TokenForm) -> str:
    now, given = timezone.now(), form.cleaned_data
    actor = Actor.person(request.user)  # type: ignore[arg-type]
    executor = register_executor(name=given["executor"], kind=ExecutorKind(given["kind"]), user=actor.account, now=now)
    _, secret = issue_token(
        executor=executor,
        label=given["label"],
        scopes=frozenset(given["scopes"]),
        actor=actor,
        now=now,
        in_browser=True,
    )
    return secret


def _show(
    request: HttpRequest, form: TokenForm, *, status: int = 200, secret: str = "", name: str = ""
) -> HttpResponse:
    account = Actor.person(request.user).account  # type: ignore[arg-type]
    mine = Executor.objects.filter(user=account).prefetch_related("tokens")
    context = {"form": form, "executors": mine, "secret": secret, "secret_name": name}
    return render(request, "tokens/page.html", context, status=status)


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    actor = Actor.person(request.user)  # type: ignore[arg-type]
    token = revoke_token(token_id=token_id, actor=actor, now=timezone.now())
    messages.success(request, f"The token {token.label} is revoked; nothing can sign in with it any more.")
    return redirect("tokens")


urlpatterns = [
    path("tokens/", tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", revoke, name="token-revoke"),
]
