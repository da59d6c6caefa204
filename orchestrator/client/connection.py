"""Connection: one REST call after the other to one server, and the two ways in which a call fails."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

#: Seconds that an answer may take, beside those that the caller asks the server to wait.
PATIENCE: Final = 30
#: A call whose answer was lost, or that is to be tried later, is made so often in all.
TRIES: Final = 3
#: Seconds between two tries where the server names none; the most that is waited.
PAUSE, LONGEST_PAUSE = 1, 10
#: Bytes of an answer that are read.
LARGEST: Final = 50_000_000


class Unreachable(Exception):
    """No answer came: nobody knows whether the call had an effect, but it may be made again."""


class ServerRefused(Exception):
    """The server said no. `message` says why, `recovery` what to do next, `code` is its stable word."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer.get("message", "")))
        self.status, self.answer = status, answer
        self.code = str(answer.get("code", "refused"))
        self.message = str(answer.get("message", "The server refused the call."))
        self.recovery = str(answer.get("recovery", ""))

    @property
    def retry_after(self) -> int:
        """In how many seconds the same may be tried again; 0 where waiting does not help."""
        told = self._details.get("retry_after")
        return told if isinstance(told, int) else 0

    @property
    def field(self) -> str:
        """Which member of the call is wrong; empty where it is none."""
        return str(self._details.get("field", ""))

    @property
    def _details(self) -> Mapping[str, Any]:
        details = self.answer.get("details")
        return details if isinstance(details, Mapping) else {}


class _StayHere(HTTPRedirectHandler):
    """A token goes to the address that was named, never to where that one points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def new_opener() -> OpenerDirector:
    """What speaks HTTP, through a proxy that the environment names, to the named address alone."""
    return build_opener(_StayHere(), ProxyHandler())


@dataclass(frozen=True)
class Connection:
    """To the server at `url`, signed in by `token`. Calls that change something carry a key of their own, so
    that one whose answer was lost is made again without a second effect."""

    url: str
    token: str = field(repr=False)
    opener: OpenerDirector = field(repr=False)
    #: Whether to go on trying, asked with what went wrong when all tries failed; a pause follows.
    goes_on: Callable[[Unreachable], bool] = lambda _: False

    def get(self, path: str, **query: str | int | bool | None) -> Any:
        """What the server answers. `query` members that are None or empty are left out.

        Raises `ServerRefused`, `Unreachable`.
        """
        words = {name: _word(value) for name, value in query.items() if value not in (None, "")}
        return self._call("GET", f"{path}?{urlencode(words)}" if words else path)

    def post(self, path: str, body: Mapping[str, object], patience: int = 0) -> Any:
        """As `get`. `patience` is how many seconds the server was asked to wait in it."""
        return self._call("POST", path, dict(body), patience)

    def _call(self, method: str, path: str, body: dict[str, object] | None = None, patience: int = 0) -> Any:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        left = TRIES
        while True:
            left -= 1
            # Only the address that the person or agent named is called, by HTTP.
            request = Request(f"{self.url}/api/{path.lstrip('/')}", data, headers, method=method)  # noqa: S310
            try:
                return self._answer(request, PATIENCE + patience)
            except ServerRefused as refusal:
                if left <= 0 or not refusal.retry_after:
                    raise
                time.sleep(min(refusal.retry_after, LONGEST_PAUSE))
            except Unreachable as problem:
                if left <= 0 and not self.goes_on(problem):
                    raise
                time.sleep(PAUSE if left > 0 else LONGEST_PAUSE)

    def _answer(self, request: Request, seconds: int) -> Any:
        try:
            with self.opener.open(request, timeout=seconds) as answer:
                return _read(answer.read(LARGEST), self.url)
        except HTTPError as error:
            with error:
                raise ServerRefused(error.code, _refusal(error, self.url)) from error
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(f"{self.url} does not answer: {reason}.") from error


def checked_url(url: str) -> str:
    """The address of a server without its end. Raises ValueError for what no server can have."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no address of a server; it looks like http://127.0.0.1:8000.")
    return url.rstrip("/").removesuffix("/api")


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(content: bytes, url: str) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError as error:
        raise Unreachable(f"{url} answers, but not as an orchestrator does.") from error


def _refusal(error: HTTPError, url: str) -> Mapping[str, Any]:
    """What the server said, or what its status says where somebody else answered for it."""
    try:
        answer = json.loads(error.read(LARGEST))
    except (ValueError, OSError, HTTPException):
        answer = None
    if isinstance(answer, Mapping) and "message" in answer:
        return answer
    return {
        "code": "no-orchestrator",
        "message": f"{url} answers with {error.code} {error.reason}.",
        "recovery": "Look whether the address is that of the orchestrator.",
    }
