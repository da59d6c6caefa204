"""The web server: requests are taken in whole before a thread works on them, answers are sent on by the main
loop.

A thread is never lent to a client that sends or reads slowly: waitress's one loop does all reading and
writing, and this module adds the deadlines and the limits of `core/limits.py`. Run as `python -m
orchestrator.processes.web_server HOST PORT`.
"""

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Final

from django.http import HttpResponse, JsonResponse
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from orchestrator.core import limits
from orchestrator.core.errors import InvalidInput, Refusal, TooLarge
from orchestrator.services.base.log_lines import HEADER, identify
from orchestrator.web.refusals import told

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Those that pages have whatever waits for work, and one for each that may wait.
THREADS: Final = 8 + limits.WAITERS
#: Seconds between two looks at the deadlines.
LOOK: Final = 1
#: Seconds between two looks at who is still owed an answer, once it was asked to stop.
LAST_TURN: Final = 0.1
#: Seconds in which the rest of a refused body is thrown away, so that its sender can read the answer.
LINGER: Final = 2.0
#: Bytes of an answer kept in memory; more waits in a temporary file for its client.
IN_MEMORY: Final = limits.MIB
#: An answer is never so long that the thread that made it has to wait for its client.
ANSWER_BYTES: Final = 1024 * limits.MIB


class Refused(ErrorTask):  # type: ignore[misc]
    """A request that no thread gets to see: refused in the same words as every other one (FR-025)."""

    def execute(self) -> None:
        error = self.request.error
        answer = _answer(self.request, _refusal(error.code, error.body))
        body = answer.content
        self.status = f"{error.code} {error.reason}"
        named = identify(self.request.headers.get("X_REQUEST_ID", ""))
        self.response_headers.extend([*answer.items(), (HEADER, named)])
        self.set_close_on_finish()
        self.channel.lingers = True
        self.content_length = len(body)
        self.write(body)


def _refusal(code: int, said: str) -> Refusal:
    if code == TooLarge.status:
        return TooLarge(
            f"The request has more than {limits.REQUEST_BYTES // limits.MIB} MiB; it was not read."
        )
    if code >= 500:
        return InvalidInput("The server failed at this request.", recovery="Try again; the log says more.")
    return InvalidInput(
        f"The request could not be read: {said}.", recovery="Send it again in the form that HTTP asks."
    )


def _answer(request: HTTPRequestParser, refusal: Refusal) -> HttpResponse:
    """A notice above the open page for htmx, whose form stays as it was; a page for a browser.

    JSON for machines.
    """
    headers, path = request.headers, getattr(request, "path", "")
    htmx = headers.get("HX_REQUEST") == "true"
    machine = path.startswith("/api/") or "AUTHORIZATION" in headers
    if machine or not (htmx or "text/html" in headers.get("ACCEPT", "")):
        return JsonResponse(refusal.as_dict())
    return told(refusal, htmx=htmx)


class Parser(HTTPRequestParser):  # type: ignore[misc]
    def parse_header(self, header_plus: bytes) -> None:
        """A request that says its length in two ways is refused, and its connection closed: a proxy may have
        read the other one, and taken for a body what would be a request here (RFC 9112, 6.3)."""
        super().parse_header(header_plus)
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("Its length is said in two ways")


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, with the moment since which it has been sending a request or taking an answer."""

    error_task_class = Refused
    parser_class = Parser

    def __init__(self, *arguments: Any, **named: Any) -> None:
        #: A new connection owes its first request; a kept one may be idle.
        self.sending_since: float | None = time.monotonic()
        self.taking_since: float | None = None
        self.lingers = False
        self.lingers_until = 0.0
        super().__init__(*arguments, **named)

    def received(self, data: bytes) -> bool:
        more: bool = super().received(data)
        if self.request is None:
            self.sending_since = None
        elif self.sending_since is None:
            self.sending_since = time.monotonic()
        return more

    def send_continue(self) -> None:
        """Nobody is asked for a body that is refused.

        The library would, and keep the refusal until it comes.
        """
        if not self.request.error:
            super().send_continue()

    @property
    def is_owed(self) -> bool:
        """Whether its client has begun a request and does not have the whole answer."""
        return bool(self.requests or self.request or self.total_outbufs_len or self.lingers_until)

    def is_late(self, now: float) -> bool:
        """Whether the client has taken too long over what it owes."""
        if self.lingers_until:
            return now > self.lingers_until
        if self.requests:
            return False
        if not self.total_outbufs_len:
            self.taking_since = None
        elif self.taking_since is None:
            self.taking_since = now
        sent = self.sending_since is None or now - self.sending_since <= limits.REQUEST_SECONDS
        taken = self.taking_since is None or now - self.taking_since <= limits.ANSWER_SECONDS
        idle = self.sending_since is None and time.time() - self.last_activity > limits.IDLE_SECONDS
        return not (sent and taken) or (idle and not self.total_outbufs_len)

    def readable(self) -> bool:
        """Never once it is closed: its number may be a new connection's before the loop has polled."""
        return bool(self.connected and (self.lingers_until or super().readable()))

    def writable(self) -> bool:
        return bool(self.connected and not self.lingers_until and super().writable())

    def handle_read(self) -> None:
        if self.lingers_until:
            self.throw_away()
        else:
            super().handle_read()

    def throw_away(self) -> None:
        try:
            self.recv(64 * limits.KIB)
        except OSError:
            self.handle_close()

    def handle_write(self) -> None:
        """A refused body is still on its way: closing at once would cut off the answer as well."""
        if self.lingers and self.close_when_flushed:
            self._flush_exception(self._flush_some)
            if self.total_outbufs_len or self.will_close:
                return
            self.lingers_until = time.monotonic() + LINGER
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.handle_close()
        else:
            super().handle_write()


class Server(TcpWSGIServer):  # type: ignore[misc]
    channel_class = Channel
    #: Whether it was asked to stop.
    stopping = False

    def stop(self) -> None:
        """Ask it to stop; may be called from another thread or a signal's handler."""
        self.stopping = True
        self.pull_trigger()

    def run(self) -> None:
        """Serve until it is asked to stop. Then nobody is let in any more, and whoever has sent a request
        gets the answer, for at most `STOP_SECONDS`."""
        while not self.stopping:
            self._turn(self.adj.asyncore_loop_timeout)
        self.del_channel()
        self.socket.close()
        until = time.monotonic() + limits.STOP_SECONDS
        while self._still_owed() and time.monotonic() < until:
            self._turn(LAST_TURN)
        self.task_dispatcher.shutdown(timeout=max(until - time.monotonic(), 0))

    def _turn(self, seconds: float) -> None:
        self.asyncore.loop(timeout=seconds, map=self._map, use_poll=self.adj.asyncore_use_poll, count=1)

    def _still_owed(self) -> bool:
        """Whether an answer is being made or sent, or a request comes in; connections that wait for nothing
        are closed."""
        channels: list[Channel] = list(self.active_channels.values())
        for channel in channels:
            if not channel.is_owed:
                channel.handle_close()
        return bool(self.active_channels)

    def maintenance(self, now: float) -> None:  # noqa: ARG002 - the wall clock decides nothing here
        """Close who is late; where connections run out, the half of those still sending that began first."""
        moment = time.monotonic()
        channels: list[Channel] = list(self.active_channels.values())
        for channel in channels:
            if channel.is_late(moment):
                channel.handle_close()
        if len(self.active_channels) < limits.CONNECTIONS * 9 // 10:
            return
        sending = [
            (one.sending_since, one) for one in self.active_channels.values() if one.sending_since is not None
        ]
        sending.sort(key=lambda pair: pair[0])
        for _, channel in sending[: (len(sending) + 1) // 2]:
            channel.handle_close()


def _headers_alone(application: Application) -> Application:
    """A question for the headers gets no body: on a kept connection it would be read as the next answer's
    beginning.

    Django leaves that to the server, and waitress to the application.
    """

    def answer(request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        made = application(request, start)
        if request["REQUEST_METHOD"] != "HEAD":
            return made
        close = getattr(made, "close", None)
        if close is not None:
            close()
        return []

    return answer


def listening(application: Application, host: str, port: int) -> Server:
    """A server that listens; `run` serves until the process is asked to stop."""
    return Server(
        _headers_alone(application),
        host=host,
        port=port,
        threads=THREADS,
        ident=None,
        # What a proxy says of the scheme is taken from this machine alone; all else is for the settings to
        # judge.
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers={"x-forwarded-proto"},
        clear_untrusted_proxy_headers=False,
        # The library refuses what reaches its limit.
        max_request_body_size=limits.REQUEST_BYTES + 1,
        max_request_header_size=limits.HEADER_BYTES,
        connection_limit=limits.CONNECTIONS,
        channel_timeout=limits.IDLE_SECONDS,
        cleanup_interval=LOOK,
        asyncore_use_poll=True,
        outbuf_overflow=IN_MEMORY,
        outbuf_high_watermark=ANSWER_BYTES,
        log_socket_errors=False,
    )


def serve(application: Application, host: str, port: int, ending: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM; `ending` is called then, before the last requests are waited for."""
    server = listening(application, host, port)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop()
        # Not here: the handler may have interrupted somebody who holds a lock that is asked for.
        threading.Thread(target=ending, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # It would log every request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server.run()


if __name__ == "__main__":
    from orchestrator.wsgi import application as ours

    # isort: split
    from orchestrator.services.work.waiting_room import ROOM  # there are no models before

    serve(ours, sys.argv[1], int(sys.argv[2]), ROOM.close)
