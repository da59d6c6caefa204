"""The rules people follow, what changed in them and why; approvers edit them (LC-11)."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import Refusal
from orchestrator.models import Policy
from orchestrator.services.base.form_keys import Made
from orchestrator.services.workstreams.policies import change_policy
from orchestrator.web.acting import does, proceed, viewer
from orchestrator.web.markdown import LIMIT
from orchestrator.web.once import once
from orchestrator.web.show import show


def _lines(rows: int, css: str = "") -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "class": css} if css else {"rows": rows})


class PolicyForm(forms.Form):
    title = forms.CharField(max_length=200)
    body = forms.CharField(
        label="Text",
        max_length=LIMIT,
        widget=_lines(16, "mono"),
        help_text="Markdown. Raw HTML is shown as text.",
    )
    reason = forms.CharField(label="Why it changes", max_length=2000, widget=_lines(2))
    impact = forms.CharField(label="What it means for running work", max_length=2000, widget=_lines(2))


class NewPolicyForm(PolicyForm):
    slug = forms.SlugField(
        label="Short name",
        max_length=60,
        help_text="For the address. One that begins with workstream-dod is shown where "
        "workstreams are accepted.",
    )
    field_order = ("slug", "title")

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if Policy.objects.filter(slug=slug).exists():
            raise forms.ValidationError(
                "There is a policy with this short name; open it and change it there."
            )
        return slug


@require_http_methods(["GET", "HEAD", "POST"])
def policies(request: HttpRequest) -> HttpResponse:
    """The list; a POST writes a new policy."""
    form = NewPolicyForm(request.POST or None, label_suffix="")
    if request.method == "POST" and (written := _changed(request, form)):
        return proceed(request, written)
    context = {"policies": Policy.objects.all(), "form": form, "may_edit": _may_edit(request)}
    return show(request, "policies/list.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Read the policy and its change log; a POST changes it."""
    found = get_object_or_404(Policy, slug=slug)
    form = PolicyForm(
        request.POST or None, initial={"title": found.title, "body": found.body}, label_suffix=""
    )
    if request.method == "POST" and (written := _changed(request, form, slug=slug)):
        return proceed(request, written)
    context = {
        "policy": found,
        "changes": found.changes.select_related("author"),
        "form": form,
        "may_edit": _may_edit(request),
    }
    return show(request, "policies/page.html", context, status=422 if request.method == "POST" else 200)


class _Incomplete(Exception):
    """The form says what is wrong with it."""


@does(change_policy)
def _changed(request: HttpRequest, form: PolicyForm, **given: str) -> Made | None:
    """What was written; None when the form was no good. Refuses people without the role before it looks at
    what they typed."""
    actor = viewer(request).actor

    def make() -> Made:
        if not form.is_valid():
            raise _Incomplete
        written = change_policy(actor=actor, now=timezone.now(), **(form.cleaned_data | given))
        said = f"{written.title} is written; the change stands in the history."
        return Made(said, reverse("policy", args=[written.slug]))

    try:
        return once(request, make)
    except _Incomplete:
        return None
    except Refusal as refusal:
        form.add_error(None, f"{refusal.message} {refusal.way_out}")
        return None


def _may_edit(request: HttpRequest) -> bool:
    return not viewer(request).lacks(change_policy)


urlpatterns = [
    path("policies/", policies, name="policies"),
    path("policies/<slug:slug>/", policy, name="policy"),
]
