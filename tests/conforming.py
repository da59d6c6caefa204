"""Whether an answer is exactly what a class of the contract says: every member of its type, none beside."""

from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from orchestrator.mcp.server import build_server


@cache
def adapter_of(declared: Any) -> TypeAdapter[Any]:
    return TypeAdapter(declared)


def conforms(answer: Any, declared: Any) -> bool:
    """Reads the answer as the class and writes it again: what the class does not know would be lost."""
    adapter = adapter_of(declared)
    return bool(adapter.dump_python(adapter.validate_python(answer), mode="json") == answer)


@cache
def tools() -> dict[str, Any]:
    """The class that each MCP tool answers with."""
    server = build_server(lambda: None)  # type: ignore[arg-type, return-value]
    return {tool.name: get_type_hints(tool.fn)["return"] for tool in server._tool_manager.list_tools()}
