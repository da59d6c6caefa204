"""How a tool answers: its facts as structured content, a refusal as a tool error with code and recovery.

Requirements: FR-025.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pydantic_core
from django.db import close_old_connections
from mcp_types import CallToolResult, TextContent

from orchestrator.core.errors import Refusal
from orchestrator.core.strict_json import check_values
from orchestrator.queries.plans.refusal_facts import refusal_facts
from orchestrator.services.base.bounds import check_text
from orchestrator.services.base.outages import OUTAGES, UNSTORABLE, outage, unstorable

Tool = Callable[..., Any]


def answering(tool: Tool) -> Tool:
    """The tool as the server runs it.

    On a worker thread of its own, with that thread's database connection.
    """

    @functools.wraps(tool)
    def answer(**arguments: Any) -> Any:
        close_old_connections()
        try:
            check_values(arguments)
            check_lengths(arguments)
            return tool(**arguments)
        except Refusal as refusal:
            return refused(refusal)
        except OUTAGES as error:
            return refused(outage(error))
        except UNSTORABLE:
            return refused(unstorable())
        finally:
            close_old_connections()

    return answer


def check_lengths(arguments: Mapping[str, Any]) -> None:
    """Texts are as long as they may be over REST; a plan's source and files have limits of their own."""
    for name, value in arguments.items():
        if name in {"outputs", "source"}:
            continue
        texts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for text in texts:
            if isinstance(text, str):
                check_text(text, name)


def refused(refusal: Refusal) -> CallToolResult:
    facts = refusal_facts(refusal)
    wait = f" (Retry after {refusal.retry_after} s.)" if refusal.retry_after else ""
    text = f"{refusal.code}: {refusal.message} {refusal.way_out}{wait}"
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=pydantic_core.to_jsonable_python(facts),
        is_error=True,
    )
