"""The first page: what waits for the person who is signed in."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone

from orchestrator.services.duties import inbox_of
from orchestrator.web.admission import roles_in
from orchestrator.web.csv_export import csv_response, moment
from orchestrator.web.show import show


def inbox(request: HttpRequest) -> HttpResponseBase:
    """The list, or with `?format=csv` the same rows as a file."""
    box = inbox_of(request.user, roles_in(request))  # type: ignore[arg-type]  # everybody here is signed in
    if request.GET.get("format") == "csv":
        header = ("waits_for", "item", "workstream", "why", f"since ({settings.PROJECT_TIME_ZONE})")
        rows = (
            (s.title, e.title, e.workstream, e.why, moment(e.since)) for s, found in box.groups for e in found
        )
        return csv_response("inbox", header, rows)
    return show(request, "inbox/page.html", {"inbox": box, "now": timezone.now()})


urlpatterns = [path("", inbox, name="inbox")]
