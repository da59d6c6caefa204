"""The description of the interface: what the operations declare, and the refusals that all of them share.

Declared on each operation the refusals would be as many models as operations times statuses, and making them
two thirds of the start of every process that serves.
"""

from functools import cache
from http import HTTPStatus
from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from pydantic import TypeAdapter

from orchestrator.api.routes import REFUSALS

PLACE: Final = "#/components/schemas/{model}"


class DescribedApi(NinjaAPI):
    """Ninja's own, whose description also has each operation's refusals (FR-025)."""

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        described = super().get_openapi_schema(**where)
        answers, schemas = _refusals()
        described["components"]["schemas"].update(schemas)
        for operations in described["paths"].values():
            for operation in operations.values():
                operation["responses"].update(answers)
        return described


@cache
def _refusals() -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    """What an operation's `responses` have of refusals, by status, and the schemas that they refer to."""
    answers, schemas = {}, {}
    for status, hint in sorted(REFUSALS.items()):
        schema = TypeAdapter(hint).json_schema(mode="serialization", ref_template=PLACE)
        schemas.update(schema.pop("$defs", {}))
        if "title" in schema and schema.get("type") == "object":
            schemas[schema["title"]] = schema
            schema = {"$ref": PLACE.format(model=schema["title"])}
        content = {"application/json": {"schema": schema}}
        answers[status] = {"description": HTTPStatus(status).phrase, "content": content}
    return answers, schemas
