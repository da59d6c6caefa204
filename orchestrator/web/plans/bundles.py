"""Bundles: what became of several plans that were submitted as one (AD-3).

They are submitted by `plan_files.py`.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.queries.workstreams.bundles import find_bundle, members_of
from orchestrator.web.show import show


@require_GET
def bundle_submit(_request: HttpRequest) -> HttpResponse:
    """An address that people have kept: one page submits several files, each on its own or as a bundle."""
    return redirect(f"{reverse('plan-submit')}?together=bundle", permanent=True)


@require_GET
def bundle(request: HttpRequest, bundle_id: int) -> HttpResponse:
    found = find_bundle(bundle_id)
    return show(request, "bundles/page.html", {"bundle": found, "members": list(members_of(found))})


urlpatterns: list[Any] = [
    path("bundles/submit/", bundle_submit, name="bundle-submit"),
    path("bundles/<int:bundle_id>/", bundle, name="bundle"),
]
