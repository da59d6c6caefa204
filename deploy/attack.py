"""Attacks a running installation from outside, and says of each attack what became of it.

`python deploy/attack.py http://127.0.0.1:8000`. With TOKEN, a token with every scope, the attacks of those
who are let in are tried as well. Ends with 1 when one gets through. The standard library alone. It changes
nothing that counts: what it sends is refused, or names what is not there.
"""

import os
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from attack_inside import INSIDE
from attacked import ATTACKS, MIB, PATIENCE, Target, attack, wrong

PAGES = (
    "/",
    "/plans/",
    "/history/",
    "/portfolio/",
    "/operating/",
    "/workspace/",
    "/tokens/",
    "/admin/",
)
ROUTES = ("tasks/", "workstreams/", "gates/", "workspace/", "search/")


@attack("pages without signing in")
def _(to: Target) -> str:
    for page in PAGES:
        answer = to.ask("GET", page)
        if not (
            answer.status in (302, 403) and ("/login/" in answer.header("location") or answer.status == 403)
        ):
            return f"{page} {wrong(answer, 302)}"
    return ""


@attack("REST without a token, and with wrong ones")
def _(to: Target) -> str:
    tried = ("", "Bearer ", "Bearer x", f"Bearer {secrets.token_urlsafe(40)}", "Basic YWRtaW46YWRtaW4=")
    for route in ROUTES:
        for header in tried[: 5 if route == ROUTES[0] else 2]:
            answer = to.ask("GET", f"/api/{route}", **({"Authorization": header} if header else {}))
            if said := wrong(answer, 401, 429):
                return f"/api/{route} with {header!r} {said}"
    return wrong(to.ask("POST", "/api/next", b"{}", Content_Type="application/json"), 401, 403, 429)


@attack("a token in the clear where there is TLS is told, not redirected (ASVS 4.1.2)")
def _(to: Target) -> str:
    for path in ("/api/tasks/", "/tasks/"):
        answer = to.ask("GET", path, Authorization="Bearer x", X_Forwarded_Proto="http")
        if said := wrong(answer, 401, 403, 429):
            return f"{path} {said}"
    return ""


@attack("a foreign Host (B25)")
def _(to: Target) -> str:
    return wrong(
        to.raw(b"GET /accounts/login/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 400
    )


@attack("a form without its CSRF token, and from a foreign Origin (B26, B27)")
def _(to: Target) -> str:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    for extra in ({}, {"Origin": "https://evil.example"}):
        if said := wrong(to.ask("POST", "/accounts/login/", b"username=a&password=b", **form, **extra), 403):
            return said
    return ""


@attack("files of the server by their path (B1 to B4)")
def _(to: Target) -> str:
    for path in (
        *("/static/../manage.py", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/..%2f..%2fmanage.py"),
        *(
            "/.git/config",
            "/.env",
            "/var/secret-key",
            "/manage.py",
            "/static/%00",
            "/%2e%2e/%2e%2e/etc/passwd",
        ),
        *("/guide/../../manage.py", "/schema/..%2f..%2fsettings.py", "/log/../keys/history.key"),
    ):
        answer = to.ask("GET", path)
        if answer.status == 200 or wrong(answer, 302, 400, 401, 403, 404) or "root:" in answer.body:
            return f"{path} {answer.status}"
    return ""


@attack("answers that a browser would misuse")
def _(to: Target) -> str:
    answer = to.ask("GET", "/accounts/login/")
    policy = answer.header("content-security-policy")
    for name, part in (("default-src 'none'", policy), ("frame-ancestors 'none'", policy)):
        if name not in part:
            return f"the content security policy lacks {name}"
    if "unsafe" in policy:
        return "the content security policy allows what is unsafe"
    for name, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")):
        if answer.header(name).lower() != value.lower():
            return f"{name} is {answer.header(name)!r}"
    if answer.header("server"):
        return "it says which server it is"
    cookies = re.findall(r"^set-cookie: *(.*?)\r?$", answer.headers, re.MULTILINE | re.IGNORECASE)
    return next((f"a cookie without SameSite: {one}" for one in cookies if "samesite" not in one.lower()), "")


@attack("a redirect to another site behind the sign-in")
def _(to: Target) -> str:
    for where in ("//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"):
        answer = to.ask("GET", f"/accounts/login/?next={where}")
        if "evil.example" in answer.header("location") or re.search(
            r'(?:href|action)="[^"]*(?:evil|javascript:)', answer.body
        ):
            return f"next={where} leads there"
    return ""


@attack("markup in what a page shows again (B19, B20)")
def _(to: Target) -> str:
    mark = "<script>alert(1)</script>"
    for path in (f"/accounts/login/?next={mark}", f"/no/{mark}", f"/api/{mark}", f"/schema/{mark}/1.json"):
        asked = f"GET {path} HTTP/1.1\r\nHost: {to.host}:{to.port}\r\nAccept: text/html\r\n\r\n"
        answer = to.raw(asked.encode())
        if mark in answer.body and "html" in answer.header("content-type"):
            return f"{path} shows it"
    return ""


@attack("line breaks into headers and logs (B24)")
def _(to: Target) -> str:
    answer = to.ask("GET", "/health?x=%0d%0aSet-Cookie:%20a=b", X_Request_ID="a%0d%0ab")
    if "a=b" in answer.headers:
        return "a header was made of the query"
    split = to.ask("GET", "/accounts/login/?next=%0d%0aSet-Cookie:%20a=b")
    return "a header was made of the address" if "a=b" in split.headers else wrong(answer, 200)


@attack("methods that nobody offers")
def _(to: Target) -> str:
    for method in ("TRACE", "CONNECT", "DEBUG", "PROPFIND"):
        answer = to.ask(method, "/health")
        if answer.status == 200 or answer.status >= 500:
            return f"{method} answered {answer.status}"
    return ""


@attack("one request inside another (smuggling)")
def _(to: Target) -> str:
    host = f"Host: {to.host}:{to.port}\r\n"
    inner = f"GET /health HTTP/1.1\r\n{host}\r\n"
    for head in (
        f"Content-Length: {len(inner) + 5}\r\nTransfer-Encoding: chunked\r\n",
        f"Transfer-Encoding: xchunked\r\nContent-Length: {len(inner)}\r\n",
        f"Content-Length: 5\r\nContent-Length: {len(inner)}\r\n",
        f"Transfer-Encoding : chunked\r\nContent-Length: {len(inner)}\r\n",
    ):
        answer = to.raw(f"POST /accounts/login/ HTTP/1.1\r\n{host}{head}\r\n0\r\n\r\n{inner}".encode())
        if '"status": "ok"' in answer.body or answer.status in (200, 500):
            return f"{head.split(chr(13))[0]} answered {answer.status}"
    return ""


@attack("headers and bodies without end (B15)")
def _(to: Target) -> str:
    if said := wrong(to.ask("GET", "/health", X_Long="x" * 200_000)):
        return f"a long header {said}"
    announced = (
        f"POST /accounts/login/ HTTP/1.1\r\nHost: {to.host}:{to.port}\r\nContent-Length: {500 * MIB}\r\n\r\n"
    )
    answer = to.raw(announced.encode() + b"x" * MIB)
    return wrong(answer) or ("it took long" if answer.seconds > PATIENCE / 2 else "")


@attack("clients that send slowly hold nobody up")
def _(to: Target) -> str:
    opened = []
    try:
        for _number in range(60):
            made = socket.create_connection((to.host, to.port), PATIENCE)
            made.sendall(b"POST /accounts/login/ HTTP/1.1\r\nContent-Length: 10\r\nX: ")
            opened.append(made)
        answer = to.ask("GET", "/health")
    finally:
        for made in opened:
            made.close()
    return wrong(answer, 200) or (f"it took {answer.seconds:.1f} s" if answer.seconds > 5 else "")


@attack("what monitors see, unasked")
def _(to: Target) -> str:
    for path in ("/health", "/ready", "/metrics"):
        answer = to.ask("GET", path)
        if "Traceback" in answer.body or re.search(r"/(?:opt|home|srv|var)/", answer.body):
            return f"{path} says where things stand"
    return ""


@attack("guessing a password without end")
def _(to: Target) -> str:
    name, page = f"nobody-{secrets.token_hex(6)}", to.ask("GET", "/accounts/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    cookie = re.search(r"^set-cookie: *([\w-]*csrf\w*=[^;]+)", page.headers, re.MULTILINE | re.IGNORECASE)
    if token is None or cookie is None:
        return "the sign-in has no CSRF token"
    for _number in range(15):
        form = f"csrfmiddlewaretoken={token[1]}&username={name}&password={secrets.token_hex(8)}"
        kind = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": cookie[1]}
        answer = to.ask("POST", "/accounts/login/", form.encode(), **kind)
        if answer.status in (403, 429):
            return ""
    return f"fifteen wrong passwords, and the last answered {answer.status}"


def outcomes(to: Target) -> Iterator[tuple[str, str]]:
    """Each attack with what got through, or ""."""
    for name, made in (ATTACKS | (INSIDE if to.token else {})).items():
        try:
            yield name, made(to)
        except OSError as problem:
            yield name, f"nobody answers: {problem}"


def main() -> int:
    to = Target(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000", os.environ.get("TOKEN", ""))
    through = 0
    for name, said in outcomes(to):
        through += bool(said)
        print(f"{'GOT THROUGH' if said else 'held':<12} {name}{f': {said}' if said else ''}", flush=True)
    if not to.token:
        print(f"{'not tried':<12} {len(INSIDE)} attacks of those who are let in: name a token in TOKEN")
    print(f"{through} got through.")
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main())
