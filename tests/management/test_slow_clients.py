"""Clients that send or read slowly hold nobody up, and bodies that are too large are refused before they are
read.

Real sockets against the web server as `serve` starts it, in a process of its own.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from orchestrator.core import limits
from tests.management.web_process import Web, read_all, running

#: Seconds within which an honest request is answered, whatever the others do; a busy machine needs some of
#: them.
SOON = 2.0
HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    yield from running(tmp_path_factory.mktemp("web"))


HALF_SENT = {
    "nothing": b"",
    "half of the headers": HEAD + b"X-Half: ",
    "half of the body": HEAD + FORM + b"Content-Length: 1000\r\n\r\nusername=",
    "half of a chunk": HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n400\r\nusername=",
    "half of a file": HEAD
    + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n"
    + b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf',
}


@pytest.mark.parametrize("count", [8, 50])
@pytest.mark.parametrize("sent", HALF_SENT.values(), ids=HALF_SENT.keys())
def test_half_sent_requests_hold_nobody_up(web: Web, sent: bytes, count: int) -> None:
    with ExitStack() as all_open:
        for _ in range(count):
            all_open.enter_context(web.open(sent))
        assert web.honest() < SOON


def test_answers_that_nobody_reads_hold_nobody_up(web: Web) -> None:
    """More of them than threads, each larger than what the kernel keeps for a socket."""
    large = max((web_size(web, name), name) for name in ("orchestrator.css", "admin/css/base.css"))[1]
    wanted = f"GET /static/{large} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with ExitStack() as all_open:
        for _ in range(20):
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            made.connect(("127.0.0.1", web.port))
            all_open.enter_context(made)
            made.sendall(wanted * 100)
        assert web.honest() < SOON


def web_size(web: Web, name: str) -> int:
    return len(
        web.answer(f"GET /static/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    )


def test_a_request_that_is_sent_slowly_arrives_whole(web: Web) -> None:
    with web.open() as made:
        for byte in b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n":
            made.sendall(bytes([byte]))
            time.sleep(0.005)
        assert read_all(made).startswith(b"HTTP/1.1 200")


SHORT = """
from orchestrator.core import limits
limits.REQUEST_SECONDS, limits.ANSWER_SECONDS, limits.IDLE_SECONDS, limits.CONNECTIONS = 2, 2, 2, 60
import sys
from orchestrator.processes.web_server import serve
from orchestrator.wsgi import application
serve(application, sys.argv[1], int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The same server with limits that a test can wait for."""
    yield from running(tmp_path_factory.mktemp("short"), SHORT)


@pytest.mark.parametrize("sent", HALF_SENT.values(), ids=HALF_SENT.keys())
def test_a_request_that_does_not_end_is_closed_at_its_deadline(short: Web, sent: bytes) -> None:
    """However busily it trickles in: the deadline is for the whole of it."""
    with short.open(sent) as made:
        made.settimeout(0.25)
        began = time.monotonic()
        while time.monotonic() - began < 10:
            try:
                made.sendall(b"x" if sent else b"")
                if made.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 1 < time.monotonic() - began < 6


def test_an_idle_connection_is_closed(short: Web) -> None:
    with short.open(b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as made:
        began = time.monotonic()
        read_all(made)
        assert 1 < time.monotonic() - began < 8


def test_where_connections_run_out_the_slow_ones_are_closed(short: Web) -> None:
    with ExitStack() as all_open:
        for _ in range(60):
            all_open.enter_context(short.open(HALF_SENT["half of the headers"]))
        assert short.honest() < SOON + 1


MUCH = 50 * limits.MIB


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b", "text/plain"])
def test_b15_a_body_of_50_mb_is_refused_before_it_is_sent(web: Web, kind: str) -> None:
    began = time.monotonic()
    answer = web.answer(HEAD + f"Content-Type: {kind}\r\nContent-Length: {MUCH}\r\n\r\n".encode())
    assert time.monotonic() - began < SOON + 2.5
    assert_too_large(answer)


def test_b15_a_body_of_unknown_length_is_stopped_at_the_limit(web: Web) -> None:
    """It never ends: the answer comes as soon as too much has come."""
    chunk = b"x" * limits.MIB
    with web.open(HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n") as made:
        for _ in range(limits.REQUEST_BYTES // len(chunk) + 1):
            made.sendall(b"100000\r\n" + chunk + b"\r\n")
        assert_too_large(read_all(made))


def test_b15_whoever_sends_it_all_the_same_reads_the_answer(web: Web) -> None:
    with web.open(HEAD + FORM + f"Content-Length: {limits.REQUEST_BYTES * 2}\r\n\r\n".encode()) as made:
        made.sendall(b"x" * limits.REQUEST_BYTES * 2)
        assert_too_large(read_all(made))


def test_b15_nobody_is_asked_to_send_a_body_that_is_too_large(web: Web) -> None:
    """Clients ask before they send much: curl does so by itself."""
    assert_too_large(web.answer(HEAD + f"Expect: 100-continue\r\nContent-Length: {MUCH}\r\n\r\n".encode()))


def test_b15_a_form_on_an_open_page_stays_when_it_is_too_large(web: Web) -> None:
    """What htmx sends takes any answer.

    One that stood in the form's place would take what was typed with it.
    """
    htmx = b"HX-Request: true\r\nHX-Target: plan-form\r\nAccept: */*\r\n"
    answer = web.answer(HEAD + FORM + htmx + f"Content-Length: {MUCH}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 413 " in head[:20]
    assert b"hx-retarget: #notices" in head.lower()
    assert b"it was not read" in body
    assert not body.lstrip().startswith(b"{")


def test_b15_a_browser_without_script_gets_a_page(web: Web) -> None:
    answer = web.answer(HEAD + FORM + f"Accept: text/html\r\nContent-Length: {MUCH}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 413 " in head[:20]
    assert b"Content-Type: text/html" in head
    assert b"Go to the inbox" in body
    assert b"Open this page again" not in body, "that would be a GET of an address that takes forms"


def test_b15_a_body_at_the_limit_is_taken(web: Web) -> None:
    body = b"username=" + b"x" * (limits.REQUEST_BYTES - 9)
    head = HEAD + FORM + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert web.answer(head + body).startswith(b"HTTP/1.1 403"), (
        "the form lacks its token, and was read to its end"
    )


def test_headers_without_end_are_refused(web: Web) -> None:
    with web.open(b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * limits.HEADER_BYTES) as made:
        assert read_all(made).startswith(b"HTTP/1.0 431")


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/nothing/", "/api/tasks/", "/static/orchestrator.css", "/schema/"]
)
def test_a_question_for_headers_leaves_the_connection_to_the_next_answer(web: Web, path: str) -> None:
    """Behind a proxy that keeps connections, a body left there would be the beginning of somebody else's
    page.
    """
    first = f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    then = "GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    headers, _, rest = web.answer((first + then).encode()).partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 ")
    assert b"Content-Length: " in headers
    assert rest.startswith(b"HTTP/1.1 200 "), rest[:200]


NO_HTTP = [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\nb\r\n\r\n", b"\x00\x00 / HTTP/1.1\r\n\r\n"]


@pytest.mark.parametrize("line", NO_HTTP)
def test_b24_what_is_no_http_is_refused(web: Web, line: bytes) -> None:
    assert b" 400 " in web.answer(line)[:20]
    assert web.honest() < SOON


def assert_too_large(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 413 " in head[:20], answer[:300]
    said = json.loads(body)
    assert said["code"] == "too-large"
    assert said["recovery"]
