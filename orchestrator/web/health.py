"""Health, readiness and metrics, for whatever watches over the installation; no page, and no sign-in.

They say how it is and nothing of what it holds. `/metrics` is there only where the operator turned it on.
"""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orchestrator.core.errors import NotFound
from orchestrator.core.limits import RETRY_SECONDS
from orchestrator.queries.workstreams.health import Gauge, gauges, readiness

#: The text format of Prometheus.
FORMAT = "text/plain; version=0.0.4; charset=utf-8"


@login_not_required
@require_safe
@never_cache
def health(_request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is looked at."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """Whether work can go on; 503 with what is in the way while it cannot."""
    found = readiness(timezone.now())
    if found.ready:
        return JsonResponse({"status": "ready", "problems": {}})
    response = JsonResponse({"status": "not ready", "problems": found.problems}, status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of a monitor. They count and name nothing; even so strangers are not shown them unasked."""
    if not settings.METRICS:
        raise NotFound(
            f"There is nothing at {request.path}.", recovery="The operator turns it on: METRICS=1."
        )
    lines = [line for gauge in gauges(timezone.now()) for line in _lines(gauge)]
    return HttpResponse("\n".join([*lines, ""]), content_type=FORMAT)


def _lines(gauge: Gauge) -> Iterator[str]:
    name = f"orchestrator_{gauge.name}"
    yield f"# HELP {name} {gauge.meaning}."
    yield f"# TYPE {name} gauge"
    for label, value in gauge.values.items():
        yield f'{name}{{{gauge.label}="{label}"}} {value:g}' if gauge.label else f"{name} {value:.15g}"


urlpatterns = [
    path("health", health, name="health"),
    path("ready", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
]
