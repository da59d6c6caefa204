"""A router for the operations of one area, and the refusals with which every one of them may answer
(FR-025)."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, get_args, get_type_hints

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.constants import NOT_SET
from ninja.decorators import decorate_view
from ninja.params.models import Query as QueryParam
from pydantic import BaseModel

from orchestrator.api.auth import caller_of
from orchestrator.contract.refusals import BundleRefusalFacts, PlanRefusalFacts, RefusalFacts
from orchestrator.core.errors import InvalidInput, TooLarge
from orchestrator.core.strict_json import read_json
from orchestrator.services.people.callers import Caller

#: Besides its own answer any operation may answer with one of these. A refused plan also has its findings, a
#: refused bundle those of each file.
REFUSALS: Final[dict[int, Any]] = {
    **dict.fromkeys((401, 403, 404, 405, 409, 413, 429, 500, 503), RefusalFacts),
    422: PlanRefusalFacts | BundleRefusalFacts | RefusalFacts,
}
#: How a body or a query is refused, which is read before anything is asked of the caller.
UNREADABLE: Final = (TooLarge.status, InvalidInput.status)
KEY: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,120}$"},
    "description": "The same key with the same request answers as the first time and has no second effect.",
}


class Routes(Router):
    """The operations of one area. `response` is the class of the answer, or classes by status; none for a
    file."""

    def add_api_operation(
        self,
        path: str,
        methods: list[str],
        view_func: Callable[..., Any],
        *,
        response: Any = NOT_SET,
        **options: Any,
    ) -> None:
        declared = None if response is NOT_SET else response
        answers = declared if isinstance(declared, dict) else {200: declared}
        if getattr(view_func, "takes_key", False):
            options["openapi_extra"] = {"parameters": [KEY], **(options.get("openapi_extra") or {})}
        view = decorate_view(_rights_first(view_func))(_strict(view_func, path))
        super().add_api_operation(path, methods, view, response=answers, **options)


def _rights_first(view: Callable[..., Any]) -> Callable[..., Any]:
    """Whoever may not do it is told that, and not what their request lacks (FR-025)."""
    admit: Callable[[Caller], None] = getattr(view, "admit", lambda _caller: None)

    def decorate(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(run)
        def answered(request: HttpRequest, **values: Any) -> HttpResponse:
            answer = run(request, **values)
            if answer.status_code in UNREADABLE:
                admit(caller_of(request))
            return answer

        return answered

    return decorate


def _strict(view: Callable[..., Any], path: str) -> Callable[..., Any]:
    """Refuses query parameters that the operation does not know, and names those that it does: a filter with
    a slip in its name would answer with everything."""
    known = sorted(_queried(view, path))
    bodiless = not any(_read_of_body(view, path))

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **values: Any) -> Any:
        if unknown := sorted(set(request.GET) - set(known)):
            there = f"It takes {', '.join(known)}." if known else "It takes none."
            raise InvalidInput(
                f"There is no query parameter {unknown[0][:60]!r} here.", recovery=there, field="query"
            )
        if bodiless and request.method != "GET" and request.body.strip():
            _refuse_body(read_json(request.body))
        return view(request, *args, **values)

    return asked


def _refuse_body(given: Any) -> None:
    """Nobody believes that a member did something which nothing reads."""
    if given in (None, {}):
        return
    name = next(iter(given))[:60] if isinstance(given, dict) else "body"
    raise InvalidInput(
        f"{name}: is no field of this request.", recovery="Send no body, or an empty object.", field=name
    )


def _read_of_body(view: Callable[..., Any], path: str) -> Iterator[str]:
    """The names of an operation's arguments that are neither in its address nor in the query."""
    queried = set(_queried(view, path))
    for name, hint in get_type_hints(view, include_extras=True).items():
        in_address = f":{name}}}" in path or f"{{{name}}}" in path
        in_query = name in queried or any(isinstance(one, QueryParam) for one in get_args(hint)[1:])
        if name not in ("request", "return") and not in_address and not in_query:
            yield name


def _queried(view: Callable[..., Any], path: str) -> Iterator[str]:
    """The names that an operation reads of the query, by its arguments' types."""
    for name, hint in get_type_hints(view, include_extras=True).items():
        if name in ("request", "return") or f":{name}}}" in path or f"{{{name}}}" in path:
            continue
        inner = get_args(hint)[0] if get_args(hint) else hint
        is_model = isinstance(inner, type) and issubclass(inner, BaseModel)
        if is_model and any(isinstance(one, QueryParam) for one in get_args(hint)[1:]):
            yield from inner.model_fields
        elif not is_model:
            yield name


def file_of(media_type: str, schema: dict[str, str]) -> dict[str, Any]:
    """What the description adds of an operation that answers with the bytes of a file."""
    return {"responses": {200: {"content": {media_type: {"schema": schema}}}}}
