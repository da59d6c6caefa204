"""MCP over streamable HTTP: a process of its own on this machine, the token as Bearer (LC-8).

Every request is signed in by its own token, so one server serves every executor, and nothing is kept between
two calls: it may be restarted at any time.
"""

import json
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import asdict
from types import FrameType
from typing import Any

import anyio.to_thread
import uvicorn
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from orchestrator.api.bearer import caller_by_bearer
from orchestrator.core.errors import NotSignedIn, Refusal
from orchestrator.core.limits import STOP_SECONDS
from orchestrator.mcp.server import HEADERS, Profile, build_server
from orchestrator.queries.plans.refusal_facts import refusal_facts
from orchestrator.services.base.log_lines import HEADER, identify
from orchestrator.services.base.outages import OUTAGES, outage
from orchestrator.services.people.callers import Caller, caller_by_token, sent_in_the_clear
from orchestrator.services.work.waiting_room import ROOM

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class SignedIn:
    """Lets requests with a live token through, and refuses all others in the words of REST."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = _named(scope, send)
            refusal = await anyio.to_thread.run_sync(_why_not, scope)
            if refusal is not None:
                await _refuse(refusal, send)
                return
        await self.inner(scope, receive, send)


def application(profile: Profile) -> Application:
    server = build_server(_caller, profile)
    return SignedIn(server.streamable_http_app(stateless_http=True, json_response=True))


def serve(profile: Profile, host: str, port: int) -> None:
    """Serve until the process is asked to stop."""
    config = uvicorn.Config(
        application(profile),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    # Its own loggers write through ours, whose lines hold no secret; one for each request is ours alone.
    _Server(config).run()


class _Server(uvicorn.Server):
    """Answers whoever waits for work before it stops, instead of keeping everybody waiting for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        threading.Thread(target=ROOM.close, daemon=True).start()
        super().handle_exit(sig, frame)


def _named(scope: Scope, send: Send) -> Send:
    """Have every line of the log that follows say which request it is of, and the answer too."""
    given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
    one = identify(given.decode("latin-1"))

    async def answer(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (HEADER.lower().encode(), one.encode())]
        await send(message)

    return answer


def _caller() -> Caller:
    """Who made the request that the call under way came with."""
    return caller_by_token(_secret(HEADERS.get().get("authorization", "")), timezone.now())


def _secret(header: str) -> str:
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise NotSignedIn("The request holds no bearer token.")
    return secret.strip()


def _why_not(scope: Scope) -> Refusal | None:
    close_old_connections()
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    address = (scope.get("client") or ("",))[0]
    try:
        _refuse_without_tls(headers)
        caller_by_bearer(_secret(headers.get("authorization", "")), address, address, timezone.now())
    except Refusal as refusal:
        return refusal
    except OUTAGES as error:
        return outage(error)
    finally:
        close_old_connections()
    return None


def _refuse_without_tls(headers: Mapping[str, str]) -> None:
    """NotAllowed where the proxy says that the client spoke without TLS. Who asks without a proxy is on this
    machine, and crosses no network."""
    name = settings.TLS_PROXY_HEADER.lower()
    if settings.TLS and name in headers and headers[name] != "https":
        raise sent_in_the_clear()


async def _refuse(refusal: Refusal, send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    if isinstance(refusal, NotSignedIn):
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.retry_after:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    body = json.dumps(asdict(refusal_facts(refusal))).encode()
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
