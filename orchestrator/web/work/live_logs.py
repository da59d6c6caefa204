"""The live log of a step: what the run on this machine prints, while it runs and afterwards (FR-012)."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orchestrator.adapters.live_log import KEPT, log_end
from orchestrator.core.terms import AttemptStatus
from orchestrator.queries.work.tasks import find_task, find_workstream
from orchestrator.services.base.masking import masked_text
from orchestrator.web.show import show


@never_cache
@require_safe
def task_log(request: HttpRequest, uuid: UUID, key: str) -> HttpResponse:
    """A page, or for htmx the part that asks again while it runs; nothing (204) when nothing came."""
    workstream = find_workstream(uuid)
    found = find_task(workstream, key)
    last = found.attempts.exclude(started_at=None).order_by("-number").first()
    running = last is not None and last.status == AttemptStatus.RUNNING
    text = masked_text(log_end(settings.RUN_LOGS_DIR, last.pk))[-KEPT:] if last else ""
    context = {"workstream": workstream, "step": found.step, "running": running, "log": text}
    return show(request, "tasks/log.html", context, parts=frozenset({"log"}))


urlpatterns: list[Any] = [path("workstreams/<uuid:uuid>/tasks/<str:key>/log/", task_log, name="task-log")]
