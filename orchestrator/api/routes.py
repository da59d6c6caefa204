"""A router for the operations of one area, and the refusals with which every one of them may answer
(FR-025)."""

from collections.abc import Callable
from typing import Any, Final

from ninja import Router
from ninja.constants import NOT_SET

from orchestrator.contract.refusals import BundleRefusalFacts, PlanRefusalFacts, RefusalFacts

#: Besides its own answer any operation may answer with one of these. A refused plan also has its findings, a
#: refused bundle those of each file.
REFUSALS: Final[dict[int, Any]] = {
    **dict.fromkeys((401, 403, 404, 409, 413, 429, 503), RefusalFacts),
    422: PlanRefusalFacts | BundleRefusalFacts | RefusalFacts,
}
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
        super().add_api_operation(path, methods, view_func, response=answers, **options)


def file_of(media_type: str, schema: dict[str, str]) -> dict[str, Any]:
    """What the description adds of an operation that answers with the bytes of a file."""
    return {"responses": {200: {"content": {media_type: {"schema": schema}}}}}
