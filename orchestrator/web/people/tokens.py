"""A person's executors and the tokens they sign in with.

A secret is shown once (FR-027, design section 7).
"""

from datetime import timedelta
from typing import Final, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orchestrator.core.errors import FormSentBefore
from orchestrator.core.terms import ExecutorKind, Scope
from orchestrator.models import AccessToken, Executor
from orchestrator.queries.base.roles import scopes_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.form_keys import Made
from orchestrator.services.people.executors import issue_token, register_executor, revoke_token
from orchestrator.web.acting import does, viewer
from orchestrator.web.admission import open_to_every_account
from orchestrator.web.once import once
from orchestrator.web.show import show

#: Executors on a page; tokens of each, the live ones first.
PER_PAGE, PER_EXECUTOR = 20, 100
SCOPE_WORDS: Final[dict[str, str]] = {
    Scope.READ: "read: see tasks, plans and history",
    Scope.WORK: "work: claim, report and complete attempts, ask and answer questions",
    Scope.MANAGE: "manage: submit plans, accept and archive workstreams",
}
#: What is chosen before anybody chooses, of what the account can use.
USUAL: Final = frozenset({Scope.READ.value, Scope.WORK.value})
#: Days that a new token works; 0 for ever.
LIFETIMES = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year"), (0, "until it is revoked"))


#: The secret is stored nowhere, so a form that is sent twice cannot be answered with it twice.
SHOWN_BEFORE = (
    "The form was sent twice, and its secret was in the first answer. Not seen? Revoke it and make another."
)


class NewToken(forms.Form):
    """A token of an executor of this account, which is there: it offers what the account can use."""

    label = forms.CharField(label="What the token is for", max_length=100)
    days = forms.TypedChoiceField(
        label="How long it works", choices=LIFETIMES, initial=90, coerce=int, empty_value="90", required=False
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="What it may do",
        error_messages={"invalid_choice": "“%(value)s” is none of what such a token can be used for."},
    )

    def __init__(self, data: QueryDict | None, *, account: User) -> None:
        usable = scopes_of(account)
        initial = {"scopes": sorted(usable & USUAL)}
        super().__init__(data, label_suffix="", initial=initial)
        scopes = cast(forms.MultipleChoiceField, self.fields["scopes"])
        scopes.choices = [(scope, SCOPE_WORDS[scope]) for scope in sorted(usable)]
        self.only_reads = usable == {Scope.READ}


class TokenForm(NewToken):
    """The same with its executor, which is registered when the name is new."""

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


@open_to_every_account
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; a POST makes a token and answers with the only page that ever shows its secret.

    An account without a role sees and revokes what it has, and makes nothing new.
    """
    account = Actor.person(request.user).account  # type: ignore[arg-type]
    form = TokenForm(request.POST or None, account=account)
    if request.method != "POST":
        return _show(request, form)
    issue_token.refuse(Actor.person(request.user))  # type: ignore[arg-type]
    if not form.is_valid():
        return _show(request, form, status=422)
    secrets: list[str] = []

    def make() -> Made:
        secrets.append(_issue(request, form))
        return Made(f"The token {form.cleaned_data['label']} is made.", reverse("tokens"))

    try:
        made = once(request, make)
    except FormSentBefore as refusal:
        form.add_error(None, f"{refusal.message} {refusal.way_out}")
        return _show(request, form, status=refusal.status)
    if not secrets:
        messages.info(request, f"{made.said} {SHOWN_BEFORE}")
        return redirect(made.address)
    anew = TokenForm(None, account=account)
    return _show(request, anew, secret=secrets[0], name=form.cleaned_data["executor"])


@does(issue_token, register_executor)
def _issue(request: HttpRequest, form: TokenForm) -> str:
    now, given = timezone.now(), form.cleaned_data
    days = int(given["days"])
    actor = Actor.person(request.user)  # type: ignore[arg-type]
    executor = register_executor(
        name=given["executor"], kind=ExecutorKind(given["kind"]), user=actor.account, now=now
    )
    _, secret = issue_token(
        executor=executor,
        label=given["label"],
        scopes=frozenset(given["scopes"]),
        actor=actor,
        now=now,
        expires_at=now + timedelta(days=days) if days else None,
        in_browser=True,
    )
    return secret


def _show(
    request: HttpRequest, form: TokenForm, *, status: int = 200, secret: str = "", name: str = ""
) -> HttpResponse:
    account = Actor.person(request.user).account  # type: ignore[arg-type]
    mine = Executor.objects.filter(user=account).order_by("name")
    page = Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page,
        "executors": [(executor, tokens_of(executor)) for executor in page],
        "secret": secret,
        "secret_name": name,
        "may_not_issue": viewer(request).lacks(issue_token),
        "now": timezone.now(),
    }
    return show(request, "tokens/page.html", context, status=status)


def tokens_of(executor: Executor) -> QuerySet[AccessToken]:
    live_first = F("revoked_at").desc(nulls_first=True)
    return executor.tokens.order_by(live_first, "-pk")[:PER_EXECUTOR]


@open_to_every_account
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
