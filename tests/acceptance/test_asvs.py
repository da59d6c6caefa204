"""The table of OWASP ASVS 5.0 names every requirement of level 2 once, and what shows it.

And what of it is seen in headers and cookies.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orchestrator.mcp.http import SignedIn
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "orchestrator" / "ASVS.md").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if re.match(r"\| \d", line)]
ROWS = [line.strip("| ").split(" | ") for line in LINES]
#: How many requirements of levels 1 and 2 each section has, which are its first ones.
SECTIONS = {
    "1.1": 2,
    "1.2": 9,
    "1.3": 11,
    "1.4": 3,
    "1.5": 2,
    "2.1": 3,
    "2.2": 3,
    "2.3": 4,
    "2.4": 1,
    "3.2": 2,
    "3.3": 4,
    "3.4": 6,
    "3.5": 5,
    "3.7": 2,
    "4.1": 3,
    "4.2": 1,
    "4.3": 2,
    "4.4": 4,
    "5.1": 1,
    "5.2": 3,
    "5.3": 2,
    "5.4": 3,
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
    "9.1": 3,
    "9.2": 4,
    "10.1": 2,
    "10.2": 2,
    "10.3": 4,
    "10.4": 11,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
    "11.1": 2,
    "11.2": 3,
    "11.3": 3,
    "11.4": 4,
    "11.5": 1,
    "11.6": 1,
    "12.1": 3,
    "12.2": 2,
    "12.3": 4,
    "13.1": 1,
    "13.2": 5,
    "13.3": 2,
    "13.4": 5,
    "14.1": 2,
    "14.2": 4,
    "14.3": 3,
    "15.1": 3,
    "15.2": 3,
    "15.3": 7,
    "16.1": 1,
    "16.2": 5,
    "16.3": 4,
    "16.4": 3,
    "16.5": 3,
    "17.1": 1,
    "17.2": 4,
    "17.3": 2,
}


def numbers(cell: str) -> Iterator[str]:
    """`1.2.1–1.2.3, 1.4.1`, one by one."""
    for part in cell.split(", "):
        first, _, last = part.partition("–")
        section, _, start = first.rpartition(".")
        for number in range(int(start), int((last or first).rpartition(".")[2]) + 1):
            yield f"{section}.{number}"


def test_every_requirement_of_level_2_stands_in_the_table_once() -> None:
    wanted = [f"{section}.{one}" for section, many in SECTIONS.items() for one in range(1, many + 1)]
    found = Counter(number for row in ROWS for number in numbers(row[0]))
    assert set(wanted) - set(found) == set()
    assert set(found) - set(wanted) == set()
    assert [number for number, times in found.items() if times > 1] == []


def test_what_is_kept_names_a_test_that_is_there_and_what_is_not_says_why() -> None:
    for number, state, how, shown in ROWS:
        assert state in ("kept", "operator", "partly", "open", "none"), number
        assert how
        if shown != "–":
            assert (ROOT / shown.strip("`")).is_file(), shown
        else:
            assert state in ("none", "open", "operator"), f"{number} is {state}, and nothing shows it"


@pytest.mark.django_db
def test_asvs_3_4_every_answer_tells_the_browser_what_it_may_do(client: Client, cast: Cast) -> None:
    client.force_login(cast.observer)
    for address in ("/", "/plans/", "/accounts/login/", "/no-such-page", "/api/tasks/", "/health"):
        answer = client.get(address, headers={"origin": "https://elsewhere.example"})
        policy = answer["Content-Security-Policy"]
        for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "script-src 'self'"):
            assert part in policy, address
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.django_db
def test_asvs_14_3_2_browsers_keep_nothing_where_that_is_wanted(client: Client, driver, settings) -> None:
    workstream = f"/workstreams/{driver.start().uuid}/"
    client.force_login(driver.cast.observer)
    pages = ("/", "/plans/", workstream, "/portfolio/", "/account/", "/api/tasks/", "/history/?format=csv")
    assert {client.get(page).get("Cache-Control") for page in pages} != {"no-store"}
    settings.NO_STORE = True
    assert {page: client.get(page).get("Cache-Control") for page in pages} == dict.fromkeys(pages, "no-store")
    assert "public" in client.get("/schema/")["Cache-Control"], "what is for everybody is kept"


BEHIND_TLS = """
import django, json
django.setup()
from django.conf import settings as s
names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
  "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH",
  "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT", "MESSAGE_STORAGE")
print(json.dumps([getattr(s, name) for name in names]))
"""


def behind_tls(folder: Path) -> list[Any]:
    """The settings of a process that is started behind a proxy."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "orchestrator.settings",
        "TLS": "1",
    }
    command = [sys.executable, "-c", BEHIND_TLS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    said: list[Any] = json.loads(done.stdout)
    return said


def test_asvs_3_3_cookies_behind_tls_are_of_this_host_alone(tmp_path: Path) -> None:
    names, flags = ["__Host-sessionid", "__Host-csrftoken"], [True, True, True]
    browser = ["Lax", None, "/", 365 * 24 * 3600, True, True]
    assert behind_tls(tmp_path)[:-1] == [*names, *flags, *browser]


@pytest.mark.django_db
def test_asvs_3_3_so_is_the_cookie_of_messages(client: Client, cast: Cast, settings, tmp_path: Path) -> None:
    settings.MESSAGE_STORAGE = behind_tls(tmp_path)[-1]
    settings.SESSION_COOKIE_SECURE = True
    client.force_login(cast.observer)
    said = client.post("/account/sign-out/", secure=True).cookies
    assert "messages" not in said
    cookie = said["__Host-messages"]
    assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
    page = client.get("/account/", secure=True)
    assert "This session goes on." in page.content.decode()
    assert page.cookies["__Host-messages"]["max-age"] == 0, "it is taken back once it was read"


@pytest.mark.django_db
def test_asvs_4_1_2_a_program_without_tls_is_refused(settings, client: Client) -> None:
    """Redirected, it would go on sending its token readable; a browser is sent on."""
    settings.SECURE_SSL_REDIRECT = True
    token = {"Authorization": "Bearer x", "Accept": "application/json"}
    for path, headers in (
        *(("/api/tasks/", {}), ("/api/openapi.json", {}), ("/api/tasks/", token)),
        *(("/tasks/", token), ("/notifications/1/key.atom", {})),
    ):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed"), path
        assert "without TLS" in answer.json()["message"]
        assert "https://" in answer.json()["recovery"]
        assert client.get(path, headers=headers, secure=True).status_code != 403, path
    assert client.post("/api/next", "{}", content_type="application/json").status_code == 403
    assert client.get("/plans/").status_code == 301


@pytest.mark.parametrize(("proto", "status"), [("http", 403), ("https", 401), ("", 401)])
@pytest.mark.django_db(transaction=True)
def test_asvs_4_1_2_an_mcp_client_without_tls_is_refused(settings, proto: str, status: int) -> None:
    settings.TLS, settings.TLS_PROXY_HEADER = True, "X-Forwarded-Proto"
    headers = [(b"authorization", b"Bearer x"), *([(b"x-forwarded-proto", proto.encode())] if proto else [])]
    scope = {"type": "http", "headers": headers, "client": ("127.0.0.1", 1)}
    sent: list[Any] = []

    async def inner(*_: Any) -> None:
        raise AssertionError("nobody is let in")

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(SignedIn(inner)(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == status
