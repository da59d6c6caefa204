"""Where MCP over HTTP listens, for pages and machines (FR-027)."""

from django.conf import settings

#: Where it listens where the operator says nothing else.
USUAL_PORT = 8765


def mcp_address() -> str:
    """On the server's own machine, whatever `HOST` is: `manage.py mcp` listens nowhere else. Empty where
    `serve` starts none."""
    return _at(settings.MCP_PORT) if settings.MCP_PORT else ""


def usual_mcp_address() -> str:
    """Where it listens once somebody starts it."""
    return mcp_address() or _at(USUAL_PORT)


def _at(port: int) -> str:
    return f"http://127.0.0.1:{port}/mcp"
