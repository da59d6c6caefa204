"""The REST interface at /api/: routers, strict JSON in, refusals out; OpenAPI at /api/openapi.json."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja.parser import Parser

from orchestrator.api import (
    artifacts,
    attempts,
    blockers,
    bundles,
    comments,
    flow,
    gates,
    learnings,
    library,
    next,
    ownership,
    plan_files,
    plans,
    policies,
    prehandoff,
    reading,
    search,
    subscriptions,
    tasks,
    versions,
    workspace,
    workstreams,
)
from orchestrator.api.auth import TokenOrSession
from orchestrator.api.described import DescribedApi, docs_page
from orchestrator.api.refusals import EXPECTED, refusal_of, refuse_in_json, refused
from orchestrator.core.errors import MethodUnknown, NotFound
from orchestrator.core.limits import limits_said
from orchestrator.core.strict_json import read_json

View = Callable[..., HttpResponse]
ABOUT = (
    "/api/docs shows this as a page. Send `Authorization: Bearer <token>`. "
    "Every refusal is `{code, message, recovery, details}` with its status; "
    "`recovery` says what to do next. Every call that changes something takes an "
    "`Idempotency-Key` header: the same "
    "key with the same request answers as the first time and has no second effect; with another "
    "request it is refused. An answer with `masked` says which secrets were masked in what was sent, before "
    "anything was stored: its `sentence`, and `found` with `field`, `what` and `times`. " + limits_said()
)
sign_in = TokenOrSession()


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return read_json(request.body)


def machine(view: View) -> View:
    """A view for machines: signs callers in by itself and answers in JSON whatever happens.

    CSRF is exempt here because `TokenOrSession` checks it for sessions; a token is no ambient authority.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except EXPECTED as error:
            return refused(refusal_of(error))
        if response.status_code == MethodUnknown.status:
            return _with_allow(
                refused(MethodUnknown(f"{request.method} does not apply here.")), response["Allow"]
            )
        return response

    return login_not_required(csrf_exempt(guarded))


def unknown(request: HttpRequest) -> HttpResponse:
    raise NotFound(
        f"There is nothing at {request.path}.", recovery="GET /api/openapi.json lists the addresses."
    )


def _with_allow(response: HttpResponse, allow: str) -> HttpResponse:
    response["Allow"] = allow
    return response


def _guarded(pattern: URLPattern) -> URLPattern:
    pattern.callback = machine(pattern.callback)
    return pattern


api = DescribedApi(
    title="Plan-to-Execution Orchestrator",
    version="1",
    description=ABOUT,
    urls_namespace="api",
    auth=sign_in,
    parser=StrictParser(),
    docs_url=None,
)
refuse_in_json(api)
api.add_router("/workstreams", workstreams.router)
api.add_router("/workstreams", prehandoff.router)
api.add_router("/tasks", tasks.router)
api.add_router("/attempts", attempts.router)
api.add_router("/gates", gates.router)
api.add_router("/plans", plans.router)
api.add_router("/plans/files", plan_files.router)
api.add_router("/bundles", bundles.router)
api.add_router("/library", library.router)
api.add_router("/policies", policies.router)
api.add_router("/collected", workspace.collected)
api.add_router("/workspace", workspace.router)
api.add_router("/flow", flow.router)
api.add_router("", next.router)
api.add_router("", reading.router)
api.add_router("/search", search.router)
api.add_router("", artifacts.router)
api.add_router("", versions.router)
api.add_router("", comments.router)
api.add_router("", blockers.router)
api.add_router("", learnings.router)
api.add_router("", ownership.router)
api.add_router("", ownership.threads)
api.add_router("/subscriptions", subscriptions.router)

_patterns, _app, _namespace = api.urls
_routes = [_guarded(pattern) for pattern in _patterns if isinstance(pattern, URLPattern)]

#: The API's views by route name, for the addresses that pages and machines share.
routes: dict[str | None, View] = {pattern.name: pattern.callback for pattern in _routes}
urlpatterns = [
    re_path(r"^api/?$", machine(unknown)),
    path("api/", (_routes, _app, _namespace)),
    path("api/docs", docs_page(api), name="api-docs"),
    re_path(r"^api/", machine(unknown)),
]
