"""Every request has an id, which its lines in the log and its answer carry (FR-026)."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from orchestrator.services.base.log_lines import HEADER, identify

logger = logging.getLogger("orchestrator.requests")


class RequestIdMiddleware:
    """Outermost, so that whatever refuses or breaks inside is named. The address is logged without its
    query, in which people search and tokens may stand."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        one, began = identify(request.headers.get(HEADER, "")), time.perf_counter()
        response = self.get_response(request)
        response[HEADER] = one
        facts = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - began) * 1000),
        }
        logger.info("%(method)s %(path)s %(status)s in %(milliseconds)s ms", facts, extra={"facts": facts})
        return response
