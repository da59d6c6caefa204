"""Values at the ends of what there is (dates, numbers, text) in every place of every page and route: never a
5xx.

The addresses come from the URL patterns and the OpenAPI description, the names of fields from what a view
really asks its request for, so that a new page, route or field is tried without a word here.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.services.people.executors import register_executor
from tests.api.test_every_route import described, members, routes
from tests.cast import NOON, Driver, UserFactory
from tests.machines import secret_of

pytestmark = pytest.mark.django_db

NUMBERS = [
    "0",
    "-1",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "9" * 40,
    "1e999",
    "NaN",
    "٣",
    "1.5",
]
DATES = [
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00Z",
    "10000-01-01T00:00",
    "2026-02-30T00:00",
]
TEXTS = [
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e\ufeff",
    "x" * 3_000,
    "../..",
    "a\r\nb",
    "'\"<",
    "%",
    "\U000e0041",
]
VALUES = [*NUMBERS, *DATES, *TEXTS]
#: Those that stand for a kind each, where every field of every form is tried with each of them.
SHARP = [str(2**63), "9" * 40, DATES[3], DATES[4], DATES[5], "a\x00b", "\ud800"]
#: In an address they stand percent-encoded; the last one is no UTF-8.
IN_PATHS = [
    "-1",
    str(2**63),
    "9" * 40,
    "%00",
    "a%00b",
    quote("\ud800", errors="surrogatepass"),
    "x" * 300,
    "..%2F..",
    "%FF",
]
#: Those that stand for a kind each; every night all of them are tried.
SHARP_IN_PATHS = [str(2**63), "a%00b", "..%2F..", "%FF"]
#: Signing out would end the test's session; the admin's own pages have tests of their own; `ready` says with
#: a 503 that the tables of tests are not those of a migration.
LEFT_OUT = ("admin/", "api/", "accounts/logout/", "static/", "ready")


def patterns(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif not route.startswith(LEFT_OUT) and not route.startswith("^"):
            yield route, entry


PAGES = dict(patterns())
AREAS = sorted({route.split("/")[0].split(".")[0] for route in PAGES})
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")


class World:
    """A workstream under way, with a plan in review beside it, and a person who may do everything."""

    def __init__(self, driver: Driver) -> None:
        driver.start()
        self.user = UserFactory(username="every", roles=list(Role))
        self.executor = register_executor(name="everyone", kind=ExecutorKind.PERSON, user=self.user, now=NOON)
        self.secret = secret_of(self.executor)
        self.client = Client(raise_request_exception=False)
        self.client.force_login(self.user)
        workstream = driver.reload()
        self.there = {
            "uuid": str(workstream.uuid),
            "workstream": str(workstream.uuid),
            "slug": workstream.version.workflow.slug,
            "key": "A1",
            "task_id": str(driver.task("A1").pk),
            "attempt_id": str(driver.attempt("A1").pk),
            "version": "1",
            "number": "1",
        }

    def address(self, route: str, **instead: str) -> str:
        return "/" + PLACE.sub(lambda place: instead.get(place[2], self.there.get(place[2], "1")), route)

    def call(self, method: str, address: str, body: Any) -> HttpResponse:
        headers = {"authorization": f"Bearer {self.secret}"}
        text = json.dumps(body) if body is not None else ""
        return self.client.generic(method, address, text, content_type="application/json", headers=headers)


@pytest.fixture
def world(driver: Driver) -> World:
    return World(driver)


def decent(response: HttpResponse, *what: object) -> None:
    assert response.status_code < 500, (what, response.status_code)
    if response.status_code >= 400 and response.get("Content-Type", "").startswith("application/json"):
        assert response.json()["recovery"], what
    if getattr(response, "streaming", False):
        assert b"".join(response) is not None


@contextmanager
def asked(names: set[str]) -> Iterator[set[str]]:
    """The names of fields that anybody asks a query or a form for."""
    known = {name: getattr(QueryDict, name) for name in ("get", "getlist", "__getitem__", "__contains__")}

    def listening(name: str) -> Any:
        def method(self: QueryDict, key: str, *rest: Any) -> Any:
            names.add(key)
            return known[name](self, key, *rest)

        return method

    with pytest.MonkeyPatch.context() as patch:
        for name in known:
            patch.setattr(QueryDict, name, listening(name), raising=False)
        yield names


@pytest.mark.parametrize("area", AREAS)
def test_no_page_fails_on_a_sharp_address(world: World, area: str) -> None:
    try_addresses(world, area, SHARP_IN_PATHS)


@pytest.mark.nightly
@pytest.mark.parametrize("area", AREAS)
def test_no_page_fails_on_an_address(world: World, area: str) -> None:
    try_addresses(world, area, IN_PATHS)


def try_addresses(world: World, area: str, values: list[str]) -> None:
    for route in PAGES:
        if route.split("/")[0].split(".")[0] != area:
            continue
        for _, name in PLACE.findall(route):
            for value in values:
                address = world.address(route, **{name: value})
                decent(world.client.get(address), address)
                if route.endswith(">") or "/acts/" in route:
                    decent(world.client.post(address), address)


@pytest.mark.nightly
@pytest.mark.parametrize("area", AREAS)
def test_no_page_fails_on_a_query(world: World, area: str) -> None:
    for route in PAGES:
        if route.split("/")[0].split(".")[0] != area:
            continue
        address = world.address(route)
        with asked(set()) as names:
            decent(world.client.get(address), address)
        for name in sorted(names):
            for value in SHARP:
                query = f"{quote(name)}={quote(value, errors='surrogatepass')}"
                decent(world.client.get(f"{address}?{query}"), address, query)


@pytest.mark.nightly
@pytest.mark.parametrize("area", AREAS)
def test_no_page_fails_on_a_form(world: World, area: str) -> None:
    """First with what is asked for of an empty form, then with what is asked for when those are filled in."""
    for route in PAGES:
        if route.split("/")[0].split(".")[0] == area:
            for act in acts_of(route):
                try_form(world, world.address(route, act=act))


def test_a_date_at_the_end_of_time_is_refused_with_its_field(world: World) -> None:
    for date in DATES:
        form = {"source": "# Plan: x", "act": "submit", "wanted_effective_at": date}
        answer = world.client.post("/plans/submit/", form)
        decent(answer, date)
        assert answer.status_code == 422
        body = {"source": "# Plan: x", "wanted_effective_at": date}
        sent = world.call("POST", "/api/plans/", body)
        decent(sent, date)
        assert sent.status_code == 422


#: Acts that an address names with a slug; a page refuses those of other pages.
ACTS = ["sign", "flag", "claim", "complete", "fail", "requeue", "priority", "archive", "accept", "migrate"]


def acts_of(route: str) -> list[str]:
    return [*ACTS, "add", "save", "start", "approve", "reject", "resolve"] if "act>" in route else ["1"]


def try_form(world: World, address: str) -> None:
    names: set[str] = set()
    for value in ("", "1"):
        with asked(names):
            world.client.post(address, dict.fromkeys(names, value))
    for value in SHARP:
        sent = value.encode("utf-8", "surrogatepass")
        for name in sorted(names):
            decent(
                world.client.post(address, dict.fromkeys(names, b"1") | {name: sent}), address, name, value
            )


@pytest.mark.parametrize("place", ["path", "query", "body"])
def test_no_route_fails_at_the_ends(world: World, place: str) -> None:
    for method, path in routes():
        if place == "path":
            addresses = [
                world.address(path[1:].replace("{", "<").replace("}", ">"), **{name: value})
                for name in re.findall(r"{(\w+)}", path)
                for value in IN_PATHS
            ]
            for address in addresses:
                decent(world.call(method.upper(), address, {}), method, address)
            continue
        here = world.address(path[1:].replace("{", "<").replace("}", ">"))
        if place == "query":
            for given in described()["paths"][path][method].get("parameters", []):
                for value in SHARP if given["in"] == "query" else ():
                    address = f"{here}?{given['name']}={quote(value, errors='surrogatepass')}"
                    decent(world.call(method.upper(), address, None), method, address)
            continue
        names = members(method, path)
        for name in names:
            for value in [*SHARP, *BEYOND]:
                decent(
                    world.call(method.upper(), here, dict.fromkeys(names, "1") | {name: value}),
                    here,
                    name,
                    value,
                )


#: What only JSON can carry.
BEYOND: list[Any] = [2**63, -(2**63) - 1, 10**30, 1e308, -0.0, [2**63], {"x": 2**63}, {"\x00": 1}]

HEADERS = {
    "Accept": ["\x00", "text/html;q=9" * 500, "*/*;q=\u00e9"],
    "Referer": ["http://[", "\x00", "http://" + "a" * 5000],
    "Authorization": ["Bearer", "Bearer \x00", "Bearer \u00ff" * 50, "Basic ="],
    "Idempotency-Key": ["\x00", "x" * 200, "\u00e9", ""],
    "If-Modified-Since": ["Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "\x00"],
    "HX-Target": ["\x00", "x" * 5000],
    "HX-Current-URL": ["http://[", "\x00"],
    "Content-Length": ["-1", "9" * 40, "x", "1.5", "٣"],
    "Cookie": [
        'sessionid="a\\000bcdefghijkl"',
        "sessionid=" + "x" * 5000,
        'csrftoken="\\000"; messages="\\000"',
        "sessionid=%00%00%00%00%00%00%00%00",
    ],
    "Origin": ["null", "http://[", "\x00"],
    "X-Forwarded-Proto": ["\x00", "gopher"],
}


@pytest.mark.parametrize("name", HEADERS)
def test_nothing_fails_on_a_header(world: World, name: str) -> None:
    for value in HEADERS[name]:
        for address in (
            "/",
            "/plans/",
            "/history/?format=csv",
            "/tasks/",
            "/api/tasks/",
            "/accounts/login/",
            "/nowhere",
        ):
            decent(world.client.get(address, headers={name: value}), address, name, value)
            decent(world.client.post(address, headers={name: value}), address, name, value)
    if name == "Cookie":
        for value in HEADERS[name]:
            client = Client(raise_request_exception=False)
            client.cookies.load(value)
            decent(client.get("/", headers={"Cookie": value}), value)
