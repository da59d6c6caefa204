"""The live log of a step: what the run on this machine prints, while it runs (FR-012)."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orchestrator.adapters.live_log import log_end
from orchestrator.core.terms import AttemptStatus
from orchestrator.queries.work.tasks import find_task, find_workstream


@never_cache
@require_safe
def task_log(request: HttpRequest, uuid: UUID, key: str) -> HttpResponse:
    """A page, or for htmx the part that asks again while it runs; nothing (204) when nothing came."""
    workstream = find_workstream(uuid)
    found = find_task(workstream, key)
    running = found.attempts.filter(status=AttemptStatus.RUNNING).first()
    text = log_end(settings.RUN_LOGS_DIR, running.pk) if running else ""
    mark = f"{running.pk if running else 0}-{sha256(text.encode()).hexdigest()[:12]}"
    if running and request.GET.get("seen") == mark:
        return HttpResponse(status=204)
    context = {"workstream": workstream, "step": found.step, "running": running, "log": text, "mark": mark}
    part = request.headers.get("HX-Request") == "true"
    return render(request, "tasks/log.html" if part else "tasks/log_page.html", context)


urlpatterns: list[Any] = [path("workstreams/<uuid:uuid>/tasks/<str:key>/log/", task_log, name="task-log")]
