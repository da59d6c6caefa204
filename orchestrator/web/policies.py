"""The rules people follow, what changed in them and why; approvers edit them (LC-11)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from orchestrator.core.terms import Role
from orchestrator.models import Policy
from orchestrator.services.actor import Actor
from orchestrator.services.policies import change_policy


def _lines(rows: int, css: str = "") -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "class": css} if css else {"rows": rows})


class PolicyForm(forms.Form):
    title = forms.CharField(max_length=200)
    body = forms.CharField(
        label="Text", max_length=50_000, widget=_lines(16, "mono"), help_text="Markdown. Raw HTML is shown as text."
    )
    reason = forms.CharField(label="Why it changes", max_length=2000, widget=_lines(2))
    impact = forms.CharField(label="What it means for running work", required=False, max_length=2000, widget=_lines(2))


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    return render(request, "policies/list.html", {"policies": Policy.objects.all()})


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Read the policy and its change log; a POST changes it through the service, which also checks the role."""
    found = get_object_or_404(Policy, slug=slug)
    actor = Actor.person(request.user)  # type: ignore[arg-type]
    form = PolicyForm(request.POST or None, initial={"title": found.title, "body": found.body}, label_suffix="")
    if request.method == "POST" and form.is_valid():
        change_policy(slug=slug, actor=actor, now=timezone.now(), **form.cleaned_data)
        messages.success(request, f"{form.cleaned_data['title']} is changed; the change stands in the history.")
        return redirect("policy", slug=slug)
    context = {
        "policy": found,
        "changes": found.changes.select_related("author"),
        "form": form,
        "may_edit": Role.APPROVER in actor.roles(),
    }
    return render(request, "policies/page.html", context, status=422 if request.method == "POST" else 200)


urlpatterns = [
    path("policies/", policies, name="policies"),
    path("policies/<slug:slug>/", policy, name="policy"),
]
