"""FR-025: who may not do it is told so, whatever they sent; what a body lacks is told to those who may."""

from collections.abc import Iterator

import pytest

from orchestrator.api.root import api
from orchestrator.core.terms import ExecutorKind, Role, Scope
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver, UserFactory
from tests.machines import Machine


def writing() -> Iterator[tuple[str, str]]:
    """Every operation whose body may be wrong, at an address that fits."""
    for path, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items():
        for method, described in methods.items():
            if "application/json" in described.get("requestBody", {}).get("content", {}):
                yield method, path


def place(path: str) -> str:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    zero = "00000000-0000-0000-0000-000000000000"
    return path.format(**{name: zero if name in {"uuid", "workstream"} else 7 for name in names})


def refused(machine: Machine, method: str, path: str, body: str) -> bool:
    status, answer = machine.call(method.upper(), place(path), body)
    return (status, answer.get("code")) == (403, "not-allowed")


@pytest.mark.parametrize("body", ["{}", "{", '{"no-such-field": 1}'])
def test_fr025_a_token_without_the_scope_is_told_so_whatever_its_body(driver: Driver, body: str) -> None:
    builder = driver.cast.builder()
    tokens = [Machine.of(builder, frozenset({scope.value})) for scope in Scope]
    let_in = [
        f"{method} {path}"
        for method, path in writing()
        if sum(not refused(token, method, path, body) for token in tokens) > 1
    ]
    assert let_in == [], "an operation has one scope"


@pytest.mark.parametrize("body", ["{}", "{", '{"no-such-field": 1}'])
def test_fr025_an_observer_is_told_of_the_role_whatever_the_body(driver: Driver, body: str) -> None:
    user = UserFactory(username="watching", roles=[Role.OBSERVER])
    executor = register_executor(name="watching-1", kind=ExecutorKind.PERSON, user=user, now=NOON)
    assert refused(Machine.of(executor), "POST", "/api/plans/", body)


def test_fr025_who_may_is_told_what_the_body_lacks(driver: Driver) -> None:
    user = driver.cast.initiator
    executor = register_executor(name="begins", kind=ExecutorKind.PERSON, user=user, now=NOON)
    status, answer = Machine.of(executor).post("/api/plans/", {})
    assert (status, answer["details"]["field"]) == (422, "source")
