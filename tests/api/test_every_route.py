"""B8 to B15, B28: whatever a route is sent, it answers with a refusal that names the way out, never with a
5xx.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from orchestrator.api.root import api
from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver, UserFactory
from tests.machines import Machine

#: An id that no row has, ids beyond the database's integers, and no id at all.
IDS = ["0", "999999999", str(2**63), "9" * 40, "-1", "x"]
UUIDS = ["00000000-0000-0000-0000-000000000000", "nothing"]
SLUGS = ["no-such-thing", "a" * 300, "%00", "%F0%9F%92%A9"]
#: What a member of a body may be, whatever it should be.
VALUES: list[Any] = [
    None,
    "",
    " ",
    "x" * 9_000,
    "\u202e\u200b",
    0,
    -1,
    2**53 - 1,
    1.5,
    True,
    [],
    [None],
    {},
    {"": ""},
]
ACTS = ("post", "patch", "put", "delete")


@cache
def described() -> dict[str, Any]:
    """What the interface says of itself; making it takes as long as many requests."""
    return api.get_openapi_schema(path_prefix="/api/")


def routes() -> Iterator[tuple[str, str]]:
    for path, methods in described()["paths"].items():
        for method in methods:
            yield method, path


def members(method: str, path: str) -> dict[str, Any]:
    """The members of the route's body by name."""
    schema = described()
    content = schema["paths"][path][method].get("requestBody", {}).get("content", {})
    if not content:
        return {}
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    return schema["components"]["schemas"][name].get("properties", {})


@pytest.fixture
def anybody(driver: Driver) -> Machine:
    """A person with every role: nothing is refused for want of one."""
    driver.start()
    user = UserFactory(username="every-token", roles=list(Role))
    return Machine.of(register_executor(name="every", kind=ExecutorKind.PERSON, user=user, now=NOON))


def addresses(path: str, driver: Driver) -> Iterator[str]:
    """The route with a row that is there, and with none."""
    workstream = driver.reload()
    there = {
        "task_id": driver.task("A1").pk,
        "attempt_id": driver.attempt("A1").pk,
        "uuid": workstream.uuid,
        "workstream": workstream.uuid,
        "slug": workstream.version.workflow.slug,
        "number": 1,
    }
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    yield path.format(**{name: there.get(name, 1) for name in names})
    for wrong in names:
        kind = UUIDS if wrong in {"uuid", "workstream"} else SLUGS if wrong == "slug" else IDS
        for value in kind:
            yield path.format(**{name: there.get(name, 1) for name in names} | {wrong: value})


def decent(address: str, status: int, answer: Any) -> None:
    assert status < 500, (address, answer)
    if status >= 400:
        assert answer["recovery"], (address, answer)


AREAS = sorted({path.split("/")[2] for _, path in routes()})


@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_fr025_no_route_fails_on_what_it_is_sent(driver: Driver, anybody: Machine, area: str) -> None:
    for method, path in routes():
        if path.split("/")[2] == area:
            try_out(driver, anybody, method, path)


def try_out(driver: Driver, machine: Machine, method: str, path: str) -> None:
    names = members(method, path)
    whole = dict.fromkeys(names, "x") | {"token": 1, "migration": 1, "mapping": [], "priority": 1}
    there, *elsewhere = addresses(path, driver)
    for address in elsewhere:
        decent(address, *sent(machine, method, address, whole))
    if method not in ACTS:
        return
    for name in names:
        for value in VALUES:
            body = {key: one for key, one in whole.items() if key in names} | {name: value}
            decent(f"{there} {name}={json.dumps(value)[:60]}", *sent(machine, method, there, body))


def sent(machine: Machine, method: str, address: str, body: dict[str, Any]) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {machine.secret}"}
    text = json.dumps(body) if method in ACTS else ""
    response = machine.client.generic(
        method.upper(), address, text, content_type="application/json", headers=headers
    )
    said = response["Content-Type"].startswith("application/json")
    return response.status_code, response.json() if said else {"recovery": "none: it is no refusal"}
