"""How a coding agent is connected to this server: for each known client, what to paste where (FR-027)."""

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from orchestrator.client.clients import CLIENTS, VARIABLE
from orchestrator.client.setup import SECTION
from orchestrator.queries.base.mcp_address import mcp_address, usual_mcp_address
from orchestrator.web.show import show


class Pasted(NamedTuple):
    """A client, the file in which it looks, and what stands there."""

    name: str
    file: str
    text: str


@require_safe
def connecting(request: HttpRequest) -> HttpResponse:
    """The same texts that `orchestrator setup` writes."""
    mcp = usual_mcp_address()
    context = {
        "address": settings.PUBLIC_URL,
        "mcp": mcp,
        "mcp_runs": bool(mcp_address()),
        "variable": VARIABLE,
        "clients": [Pasted(one.name, one.file, one.merged("", mcp)) for one in CLIENTS.values()],
        "section": SECTION,
    }
    return show(request, "account/connecting.html", context)


urlpatterns: list[Any] = [path("connecting/", connecting, name="connecting")]
