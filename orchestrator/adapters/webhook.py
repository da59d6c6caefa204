"""A POST to an address that a user chose: to public machines only unless the operator names the host, no
redirects, and to the very address that was looked at, so that a name which means another machine a moment
later (DNS rebinding) leads nowhere.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from orchestrator.core.errors import InvalidInput

#: Seconds for the whole of it, however slowly an answer drips in; bytes of an answer that are read.
SECONDS: Final = 10.0
ANSWER_BYTES: Final = 2_000
LONGEST: Final = 500
#: What of IPv6 is given to public machines, and what in it stands for other addresses, which may be private.
GLOBAL: Final = ipaddress.IPv6Network("2000::/3")
TRANSLATED: Final = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))


class NotDelivered(Exception):
    """Why, in a sentence."""


def check_address(address: str, allowed: Collection[str]) -> None:
    """InvalidInput for what is no address of a web hook, or one of a private machine; asks nobody."""
    parts = _parts(address)
    host = parts.hostname or ""
    found, name = _literal(host.rstrip(".")), host.rstrip(".")
    inside = name == "localhost" or name.endswith((".localhost", ".local", ".internal"))
    if inside or (found is not None and not _is_public(found)):
        _refuse_private(host, allowed)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is as networks read it: `127.1`, `0x7f000001` and `2130706433` are some."""
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    with suppress(OSError, UnicodeError):
        return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


def post(address: str, body: bytes, headers: Mapping[str, str], allowed: Collection[str]) -> None:
    """Send it; NotDelivered when nobody took it."""
    host = urlsplit(address).hostname or ""
    status, said = exchange(address, body, headers, allowed)
    if 300 <= status < 400:
        raise NotDelivered(f"{host} answered with a redirect ({status}), which is not followed.")
    if status >= 300 or status < 200:
        raise NotDelivered(f"{host} answered {status}: {said[:200]}".strip())


def exchange(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Collection[str] | None,
    *,
    seconds: float = SECONDS,
    most: int = ANSWER_BYTES,
    stop: threading.Event | None = None,
) -> tuple[int, str]:
    """The status of the answer and the beginning of its text, `most` bytes; NotDelivered when there was none
    within so many seconds, or before `stop` was set. `allowed` None is any machine: the operator named it."""
    try:
        parts = _parts(address)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        context = ssl.create_default_context() if parts.scheme == "https" else None
        connection = _Pinned(host, port, _reached(host, port, allowed), context, seconds)
    except InvalidInput as refusal:
        raise NotDelivered(refusal.message) from refusal
    path = parts.path or "/"
    ended = stop or threading.Event()
    threading.Thread(target=_cut_when, args=(connection, ended, seconds), daemon=True).start()
    try:
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, dict(headers))
        answer = connection.getresponse()
        said = answer.read(most).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError) as problem:
        late = f"{host} did not answer within {seconds:.0f} seconds."
        said = f"{host} did not answer: {type(problem).__name__}: {problem}"[:LONGEST]
        raise NotDelivered(
            late if connection.was_cut or isinstance(problem, TimeoutError) else said
        ) from problem
    finally:
        connection.over = True
        ended.set()
        connection.close()
    if connection.was_cut:
        raise NotDelivered(f"{host} did not answer within {seconds:.0f} seconds.")
    return answer.status, said


def _cut_when(connection: "_Pinned", ended: threading.Event, seconds: float) -> None:
    """Ends an exchange that takes too long, or that nobody wants any more."""
    ended.wait(seconds)
    if not connection.over:
        connection.cut()


def _parts(address: str) -> Any:
    try:
        parts = urlsplit(address)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        plain = address.isascii() and address.isprintable() and " " not in address
    except ValueError:
        known = plain = False
    if not (known and plain) or len(address) > LONGEST or "@" in parts.netloc:
        raise InvalidInput(
            "A web hook has an address such as https://example.org/hook, without a name or password in it.",
            field="address",
        )
    return parts


def _reached(host: str, port: int, allowed: Collection[str] | None) -> str:
    """The address of the machine, looked up once."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NotDelivered(f"{host} is not known: {problem}") from problem
    addresses = [str(one[4][0]) for one in found]
    if allowed is not None and host not in allowed:
        for one in addresses:
            if not _is_public(ipaddress.ip_address(one.partition("%")[0])):
                _refuse_private(host, allowed)
    return addresses[0]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address not in GLOBAL or any(address in network for network in TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


def _refuse_private(host: str, allowed: Collection[str]) -> None:
    if host not in allowed:
        raise InvalidInput(
            f"{host} is a machine of a private network, which a web hook does not reach.",
            recovery="Name a public address; or the operator allows the host with WEBHOOK_HOSTS.",
            field="address",
        )


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was looked at, under the name that was asked for."""

    def __init__(
        self, host: str, port: int, address: str, context: ssl.SSLContext | None, seconds: float
    ) -> None:
        super().__init__(host, port, timeout=seconds)
        self.default_port = 443 if context else 80
        self.reached, self.context, self.was_cut, self.over, self.seconds = (
            address,
            context,
            False,
            False,
            seconds,
        )

    def connect(self) -> None:
        self.sock = socket.create_connection((self.reached, self.port), self.seconds)
        if self.context is not None:
            # In two steps, so that a handshake that drips in can be cut too.
            self.sock = self.context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def cut(self) -> None:
        """End what another thread sends or reads here."""
        self.was_cut = True
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
