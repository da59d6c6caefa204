"""The attacks of those who are let in, by a token with every scope. What would be kept is refused, or is
about what is not there; plans are only checked."""

import gzip
import json
from collections.abc import Callable

from attacked import MIB, Answer, Attack, Target, attack, wrong

INSIDE: dict[str, Attack] = {}
NOWHERE = "00000000-0000-4000-8000-000000000000"
#: Seconds that the worst plan may take to be answered.
SOON = 30


def inside(name: str) -> Callable[[Attack], Attack]:
    return attack(name, INSIDE)


@inside("JSON that means two things, or nothing (B10 to B14)")
def _(to: Target) -> str:
    deep = b'{"x":' * 10_000 + b"1" + b"}" * 10_000
    twice, none, large = b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":9007199254740993}'
    for body in (twice, none, large, deep, b"\xff\xfe", b'{"a":"\\ud800"}'):
        for path in ("/api/attempts/0/claim", "/api/next", "/api/tasks/0/flag"):
            if said := wrong(to.api("POST", path, body)):
                return f"{path} {body[:30]!r} {said}"
    return ""


@inside("other people's objects, and none (B28)")
def _(to: Target) -> str:
    for method, path, body in (
        ("POST", "/api/attempts/999999999/claim", {}),
        ("POST", "/api/attempts/999999999/report", {"token": 1, "breadcrumb": "x"}),
        ("GET", "/api/tasks/999999999999999999999", None),
        ("GET", f"/api/workstreams/{NOWHERE}/", None),
        ("PATCH", f"/api/workstreams/{NOWHERE}/", {"status": "completed"}),
        ("POST", "/api/attempts/1/report", {"token": 0, "breadcrumb": "x"}),
    ):
        sent = json.dumps(body).encode() if body is not None else b""
        if said := wrong(to.api(method, path, sent)):
            return f"{method} {path} {said}"
    return ""


@inside("members that a route does not name (B29)")
def _(to: Target) -> str:
    for path in ("/api/tasks/1/", "/api/tasks/1/flag"):
        body = json.dumps({"status": "complete", "is_superuser": True}).encode()
        if said := wrong(to.api("PATCH" if path.endswith("/") else "POST", path, body)):
            return f"{path} {said}"
    return ""


@inside("words that a database might read")
def _(to: Target) -> str:
    for value in ("1%27%20OR%201=1--", "%00", "%ed%a0%80", "-1", "9" * 40, "%25%27"):
        for query in ("tasks/?needs_human", "tasks/?limit", "search/?q"):
            path = f"/api/{query}={value}"
            answer = to.api("GET", path)
            if answer.status >= 500 or "Traceback" in answer.body:
                return f"{path} answered {answer.status}"
    return ""


@inside("paths that lead out of their folder (B1 to B7)")
def _(to: Target) -> str:
    for path in ("../escape", "/etc/passwd", "a/../../x", "nul\0byte", ".git/config", "GIT~1/config"):
        body = json.dumps({"token": 1, "outcome": "x", "outputs": {path: "x"}}).encode()
        if said := wrong(to.api("POST", "/api/attempts/999999999/complete", body)):
            return f"{path!r} {said}"
    for place in ("library/{}", "policies/{}/", "workflows/{}/versions/1/text", "workflows/{}/changes"):
        for path in ("..%2f..%2fmanage.py", "%2fetc%2fpasswd", "..%5c..%5cmanage.py", "%2e%2e"):
            if said := wrong(to.api("GET", f"/api/{place.format(path)}")):
                return f"{place.format(path)} {said}"
    return ""


def checked(to: Target, source: str) -> tuple[Answer, bool]:
    """What the check of a plan answers, and whether the plan may be approved."""
    answer = to.api("POST", "/api/plans/check", json.dumps({"source": source}).encode())
    try:
        return answer, bool(json.loads(answer.body).get("approvable"))
    except ValueError:
        return answer, False


STEPS = "\n\n### Stage 1: x\n- A1: One\n  - Exit: y\n- A2: Two\n  - Exit: y\n"
ALIASES = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)


@inside("plans that deceive, call or multiply (B8, B16, B17, B22, B32 to B34)")
def _(to: Target) -> str:
    plans = {
        "text in another direction": "# Plan: Pay\u202eNobody" + STEPS,
        "an unseen letter in a key": "# Plan: x" + STEPS.replace("A1", "A\u200b1"),
        "aliases": f"---\n{ALIASES}---\n# Plan: x{STEPS}",
        "a tag that builds": f"---\ndomain: !!python/object/apply:os.system ['id']\n---\n# Plan: x{STEPS}",
        "a circle": "# Plan: x" + STEPS.replace("One", "One (needs A2)").replace("Two", "Two (needs A1)"),
        "what is not there": "# Plan: x" + STEPS.replace("One", "One (needs Z9)"),
        "10,001 steps": "# Plan: x\n\n### Stage 1: x\n"
        + "".join(f"- A{n}: x\n  - Exit: y\n" for n in range(10_001)),
    }
    for what, source in plans.items():
        answer, approvable = checked(to, source)
        if approvable:
            return f"{what} may be approved"
        if said := wrong(answer, 200, 413, 422, 503) or ("it took long" if answer.seconds > SOON else ""):
            return f"{what} {said}"
    for what, text in (("emphasis", "*_" * 5_000), ("brackets", "[" * 9_000), ("quotes", ">" * 9_000)):
        answer, _ = checked(to, f"# Plan: x\n\n{text}{STEPS}")
        if said := wrong(answer, 200, 413, 422, 503) or ("it took long" if answer.seconds > SOON else ""):
            return f"{what} {said}"
    return ""


@inside("what is small and unpacks to much (B18)")
def _(to: Target) -> str:
    bomb = gzip.compress(bytes(50 * MIB))
    for kind in ("gzip", "deflate", "br", "identity"):
        answer = to.ask(
            *("POST", "/api/plans/check", bomb),
            Authorization=f"Bearer {to.token}",
            Content_Type="application/json",
            Content_Encoding=kind,
        )
        if said := wrong(answer) or ("it took long" if answer.seconds > SOON else ""):
            return f"{kind} {said}"
    return ""


@inside("words that are kept and shown to people (B20, B36)")
def _(to: Target) -> str:
    for body in ({"needs_human": True}, {"needs_human": True, "intervention_note": " \n"}):
        if said := wrong(to.api("PATCH", "/api/tasks/999999999/", json.dumps(body).encode()), 404, 422):
            return said
    mark = {"source": "# Plan: <script>alert(1)</script>\n\n[x](javascript:alert(1))" + STEPS}
    answer = to.api("POST", "/api/plans/check", json.dumps(mark).encode())
    return "" if "json" in answer.header("content-type") else "an answer is no JSON"


@inside("having the server call machines beside it (B37)")
def _(to: Target) -> str:
    hosts = ("127.0.0.1", "localhost", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "0")
    spelled = ("169.254.169.254", "2130706433", "127.1", "0x7f.1")
    others = ("file:///etc/passwd", "gopher://127.0.0.1/", "http://me:secret@example.org/")
    for address in (*(f"http://{host}/" for host in (*hosts, *spelled)), *others):
        body = {"topics": ["question asked"], "channel": "webhook", "address": address}
        answer = to.api("POST", "/api/subscriptions/", json.dumps(body).encode())
        if said := wrong(answer):
            return f"{address} {said}"
        if "topics" in answer.body:
            return f"{address} was not judged: {answer.body[:120]}"
    return ""
