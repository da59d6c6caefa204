"""Bundles: submit several plans as one, and see what became of them (AD-3)."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods

from orchestrator.core.errors import BundleRejected, Refusal
from orchestrator.core.terms import Role
from orchestrator.queries.bundles import find_bundle, members_of
from orchestrator.services.bundles import MOST, PlanFile, submit_bundle
from orchestrator.web.acting import now, proceed, show, typed, viewer

#: A file that is not sent to the end is refused, so nothing is read of more files than a bundle may have.
READ_AT_MOST = MOST + 1


@require_http_methods(["GET", "HEAD", "POST"])
def bundle_submit(request: HttpRequest) -> HttpResponse:
    """The form; a POST registers every chosen file or none."""
    if request.method != "POST":
        return _form(request)
    try:
        done = submit_bundle(name=typed(request, "name"), files=_files(request), actor=viewer(request).actor, now=now())
    except Refusal as refusal:
        return _form(request, refusal)
    count = len(done.members)
    said = f"{count} plan{'' if count == 1 else 's'} submitted; each waits for its review."
    return proceed(request, said, reverse("bundle", args=[done.bundle.pk]))


def _files(request: HttpRequest) -> list[PlanFile]:
    uploads = [file for file in request.FILES.getlist("files")[:READ_AT_MOST] if isinstance(file, UploadedFile)]
    return [PlanFile(file.name or "PLAN.md", file.read(settings.PLAN_LIMIT + 1)) for file in uploads]


def _form(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "name": request.POST.get("name", ""),
        "rejected": refusal.findings if isinstance(refusal, BundleRejected) else {},
        "may_not_submit": viewer(request).lacks(Role.INITIATOR, Role.APPROVER),
    }
    return show(request, "bundles/submit.html", context, refusal=refusal)


@require_GET
def bundle(request: HttpRequest, bundle_id: int) -> HttpResponse:
    found = find_bundle(bundle_id)
    return show(request, "bundles/page.html", {"bundle": found, "members": list(members_of(found))})


urlpatterns: list[Any] = [
    path("bundles/submit/", bundle_submit, name="bundle-submit"),
    path("bundles/<int:bundle_id>/", bundle, name="bundle"),
]
