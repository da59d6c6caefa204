"""What `attack.py` attacks: a running installation, by the bytes that are sent to it and answered."""

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Seconds for an answer; a bounded server needs none of them.
PATIENCE = 10
MIB = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """Status 0 is none: the connection was closed."""

    status: int
    headers: str
    body: str
    seconds: float

    @property
    def refused(self) -> bool:
        return self.status == 0 or 400 <= self.status < 500

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}: *(.*?)\r?$", self.headers, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""


class Target:
    def __init__(self, address: str, token: str = "") -> None:
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname:
            raise SystemExit("Name the server itself: http://127.0.0.1:8000")
        self.host, self.port, self.token = parts.hostname, parts.port or 80, token

    def raw(self, sent: bytes) -> Answer:
        """The first answer to bytes as they are."""
        began = time.monotonic()
        with socket.create_connection((self.host, self.port), PATIENCE) as made:
            try:
                made.sendall(sent)
                made.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before it was sent
            said = self._read(made)
        head, _, body = said.partition("\r\n\r\n")
        status = re.match(r"HTTP/1\.[01] (\d{3})", head)
        return Answer(int(status[1]) if status else 0, head, body, time.monotonic() - began)

    @staticmethod
    def _read(made: socket.socket) -> str:
        found = b""
        try:
            while part := made.recv(65536):
                found += part
        except OSError:
            pass
        return found.decode("utf-8", "replace")

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        lines = {"Host": f"{self.host}:{self.port}", "Connection": "close"}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body or method in ("POST", "PUT", "PATCH"):
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    def api(self, method: str, path: str, body: bytes = b"") -> Answer:
        """As whoever the token belongs to."""
        return self.ask(
            method, path, body, Authorization=f"Bearer {self.token}", Content_Type="application/json"
        )


#: An attack answers with what is wrong, or "".
Attack = Callable[[Target], str]
ATTACKS: dict[str, Attack] = {}
INSIDE: dict[str, Attack] = {}


def attack(name: str, into: dict[str, Attack] = ATTACKS) -> Callable[[Attack], Attack]:
    def keep(made: Attack) -> Attack:
        into[name] = made
        return made

    return keep


def inside(name: str) -> Callable[[Attack], Attack]:
    return attack(name, INSIDE)


def wrong(answer: Answer, *good: int) -> str:
    """What is wrong with an answer that should have one of these statuses; any refusal, if none is named."""
    fine = answer.status in good if good else answer.refused
    if fine and "Traceback" not in answer.body:
        return ""
    return f"answered {answer.status}: {' '.join(answer.body.split())[:120]}"
