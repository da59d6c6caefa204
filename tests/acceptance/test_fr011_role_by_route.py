"""FR-011, B28: denied unless declared. Every role on every way in that there is: pages, REST, MCP and the
administration; every scope of a token; every object that somebody else holds.

The table is made: ways in are found by walking what Django, the REST description and the MCP server know, and
what each of them asks is what the act's declaration says.
"""

import asyncio
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, reverse

from orchestrator.admin import site
from orchestrator.api.root import api
from orchestrator.core.people.roles import WORKERS
from orchestrator.core.terms import ExecutorKind, Role, Scope
from orchestrator.mcp.server import build_server
from orchestrator.models import Assignment, Executor
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import NO_ROLE, Act, every_act
from orchestrator.services.people.callers import Caller
from orchestrator.services.people.executors import register_executor
from tests.acceptance.accounts import tables
from tests.acceptance.test_fr011_made_up_role import (
    CHECKS,
    FORMS,
    OWNERS,
    SAID,
    SAMPLES,
    SHOWN,
    addresses,
    body_for,
    operations,
    pages,
    role_of,
    sample,
)
from tests.cast import NOON, Cast, Driver, UserFactory
from tests.machines import Machine, secret_of

pytestmark = pytest.mark.django_db

ROLES = pytest.mark.parametrize("role", list(Role))
Acts = tuple[Act[..., Any], ...]
#: How a refusal says that no role of the account is enough.
LACKS = re.compile(r"it needs the role ([\w ]+)\.|holds no role here")


def wanted(acts: Acts) -> set[str]:
    """The roles that a refusal of one of the acts names."""
    return {" or ".join(act.declaration.roles) for act in acts}


def open_to(acts: Acts, role: Role) -> bool:
    return any(act.is_open_to([role]) for act in acts)


def person(*roles: Role) -> User:
    """An account with these roles and no other."""
    return UserFactory(username=f"with-{'-'.join(roles)}", roles=list(roles))


def machine_of(user: User, kind: ExecutorKind, scopes: frozenset[str] = frozenset(Scope)) -> Machine:
    names = f"{user.username}-{kind.value}"
    executor = Executor.objects.filter(name=names).first() or register_executor(
        name=names, kind=kind, user=user, now=NOON
    )
    return Machine(secret_of(executor, scopes), Client(enforce_csrf_checks=True))


def rest_acts() -> Iterator[tuple[str, str, Acts, Any]]:
    """Every operation that does something: method, address, the acts that it may do, and a body for it."""
    described = api.get_openapi_schema(path_prefix="/api/")
    for method, route, operation in operations():
        path = re.sub(r"{\w+:(\w+)}", r"{\1}", route)
        if operation.view_func.__name__ not in CHECKS:
            acts = operation.view_func.acts
            yield method, path.format(**SAMPLES), acts, body_for(method, path, described)


def taken_back(machine: Machine, method: str, address: str, body: Any) -> Any:
    """The answer; whatever the call did is taken back."""
    point = transaction.savepoint()
    answer = machine.call(method, address, body)[1]
    transaction.savepoint_rollback(point)
    return answer


def lacking(answer: Any) -> str:
    """The roles that a refusal names; "" for any other answer."""
    details = answer.get("details") if isinstance(answer, dict) else None
    return str(details.get("role") or "") if isinstance(details, dict) else ""


def test_fr011_every_rest_operation_asks_the_roles_of_its_act(world: Driver) -> None:
    """What is refused leaves no trace; what is not asks for no other role than that of a step."""
    machines = {role: machine_of(person(role), ExecutorKind.PERSON) for role in Role}
    walked, before = list(rest_acts()), tables()
    wrong = []
    for role, machine in machines.items():
        for method, address, acts, body in walked:
            if not open_to(acts, role):
                status, answer = machine.call(method, address, body)
                if status != 403 or lacking(answer) not in wanted(acts):
                    wrong.append((role, method, address, answer))
    assert wrong == []
    assert tables() == before
    for role, machine in machines.items():
        for method, address, acts, body in walked:
            may = tuple(act for act in acts if act.is_open_to([role]))
            answer = taken_back(machine, method, address, body) if may else {}
            wrong += [(role, method, address, answer)] if lacking(answer) in wanted(may) else []
    assert wrong == []
    assert len(walked) > 50


def test_fr011_every_rest_operation_asks_the_scope_of_its_act(world: Driver) -> None:
    everything = person(*Role)
    machines = {one: machine_of(everything, ExecutorKind.PERSON, frozenset(Scope) - {one}) for one in Scope}
    before, seen = tables(), dict.fromkeys(Scope, 0)
    for scope, machine in machines.items():
        asked = [one for one in rest_acts() if scope in {act.declaration.scope for act in one[2]}]
        looks = [("GET", f"/api/{name}/", (), None) for name in ("tasks", "workstreams", "gates")]
        for method, address, _, body in asked + (looks if scope is Scope.READ else []):
            status, answer = machine.call(method, address, body)
            assert (status, answer["details"].get("scope")) == (403, scope.value), (method, address)
            seen[scope] += 1
    assert min(seen.values()) > 2, seen
    assert tables() == before


def test_fr011_no_rest_operation_lets_a_machine_decide_for_a_person(world: Driver) -> None:
    everything = person(*Role)
    machines = [machine_of(everything, kind) for kind in (ExecutorKind.AGENT, ExecutorKind.TOOL)]
    before, seen = tables(), 0
    for method, address, acts, body in rest_acts():
        if all(act.declaration.person for act in acts):
            for machine in machines:
                status, answer = machine.call(method, address, body)
                assert status == 403, (method, address, answer)
                assert answer["message"].startswith(tuple(act.declaration.person for act in acts)), answer
                seen += 1
    assert seen > 10
    assert tables() == before


@pytest.fixture
def asked_by_forms(world: Driver, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str], Acts]]:
    """What every form asks: each act is given to a role of its own for a moment, and the refusal names it."""
    everybody = UserFactory(username="every", roles=list(Role))
    acts = {one.name: one for one in every_act() if one.declaration.roles != NO_ROLE}
    client, found = Client(), []
    client.force_login(everybody)
    with monkeypatch.context() as patch:
        for one in acts.values():
            patch.setattr(one, "declaration", replace(one.declaration, roles=(role_of(one),)))
        for page in pages():
            own = getattr(page.callback, "asks_no_role", False) and page.name != "tokens"
            public = not getattr(page.callback, "login_required", True)
            if own or public or page.name in OWNERS | SHOWN:
                continue
            for address in addresses(page, world):
                for form in FORMS.get(page.name, [{}]):
                    names = said_by(client.post(address, form), SAID)
                    if names:
                        found.append((address, form, tuple(acts[name] for name in sorted(names))))
    return found


def said_by(answer: Any, pattern: re.Pattern[str]) -> set[str]:
    """What the refusal says, on the page or to whatever draws it."""
    given = answer.context.get("refusal") if answer.context else None
    return {match[1] or match[0] for match in pattern.finditer(f"{answer.content.decode()} {given}")}


@pytest.mark.nightly
def test_fr011_every_form_asks_the_roles_of_its_act(
    asked_by_forms: list[tuple[str, dict[str, str], Acts]],
) -> None:
    clients = {role: Client(headers={"accept": "application/json"}) for role in Role}
    for role, client in clients.items():
        client.force_login(UserFactory(username=f"only-{role}", roles=[role]))
    before, wrong, refused = tables(), [], 0
    for role, client in clients.items():
        for address, form, acts in asked_by_forms:
            if not open_to(acts, role):
                answer = client.post(address, form)
                refused += 1
                if answer.status_code != 403 or not said_by(answer, LACKS):
                    wrong.append((role, address, form, answer.status_code))
    assert wrong == []
    assert refused > 50
    assert tables() == before


@ROLES
def test_fr011_every_tool_asks_the_roles_of_its_act(
    cast: Cast, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = person(role)
    acts = {one.name: one for one in every_act() if one.declaration.roles != NO_ROLE}
    server = build_server(lambda: Caller(Actor.person(somebody, frozenset({role})), frozenset(Scope)))

    async def walk(left_out: Collection[str] = ()) -> dict[str, str]:
        said = {}
        for tool in await server.list_tools():
            if tool.name not in left_out and not (tool.annotations and tool.annotations.read_only_hint):
                properties = tool.input_schema["properties"]
                least = {name: sample(properties[name], {}) for name in tool.input_schema.get("required", [])}
                answer = await server.call_tool(tool.name, least)
                said[tool.name] = answer.content[0].text  # type: ignore[union-attr]
        return said

    with monkeypatch.context() as patch:
        for one in acts.values():
            patch.setattr(one, "declaration", replace(one.declaration, roles=(role_of(one),)))
        asks = {tool: acts[SAID.search(text)[1]] for tool, text in asyncio.run(walk()).items()}  # type: ignore[index]
    said = asyncio.run(walk([name for name, act in asks.items() if act.is_open_to([role])]))
    assert {name: text for name, text in said.items() if not LACKS.search(text)} == {}
    assert len(asks) > 12


#: Acts whose declaration says that they are for who holds the attempt.
HOLDERS = "who holds the attempt"


def test_b28_no_rest_operation_lets_another_executor_act_on_a_held_attempt(driver: Driver) -> None:
    """Of every role, with the holder's own fencing token in hand."""
    driver.start()
    attempt = driver.attempt("A1")
    driver.claim("A1", driver.cast.builder("holder"))
    token = Assignment.objects.get(attempt=attempt).token
    other = machine_of(person(*Role), ExecutorKind.AGENT)
    described = api.get_openapi_schema(path_prefix="/api/")
    before, seen = tables(), 0
    for method, route, operation in operations():
        acts: Acts = getattr(operation.view_func, "acts", ())
        if not any(act.declaration.only.startswith(HOLDERS) for act in acts):
            continue
        path = re.sub(r"{\w+:(\w+)}", r"{\1}", route)
        body = body_for(method, path, described)
        if isinstance(body, dict) and "token" in body:
            body["token"] = token
        status, answer = other.call(method, path.format(**SAMPLES | {"attempt_id": str(attempt.pk)}), body)
        assert 400 <= status < 500, (method, path, answer)
        seen += 1
    assert seen > 4
    assert tables() == before


def admin_addresses() -> Iterator[str]:
    """Every page of the administration: of each kind of row, with a row that is there."""
    for model, model_admin in site._registry.items():
        row = model.objects.first()
        for pattern in model_admin.get_urls():
            if not isinstance(pattern, URLPattern) or not pattern.name:
                continue
            names = pattern.pattern.converters
            if names and row is None:
                continue
            yield reverse(f"admin:{pattern.name}", args=[row.pk] if names and row else [])
    yield from (reverse(f"admin:{name}") for name in ("index", "password_change"))
    yield reverse("admin:app_list", args=["orchestrator"])


def test_fr011_the_administration_is_for_superusers(world: Driver) -> None:
    """Others are sent to sign in. Who is `staff` may look around, and changes nothing."""
    staff = UserFactory(username="staff", roles=list(WORKERS), is_staff=True)
    wrong, addresses_there = [], list(admin_addresses())
    for account in (staff, person(Role.APPROVER), person(Role.OBSERVER)):
        client = Client()
        client.force_login(account)
        before = tables()
        for address in addresses_there:
            answer = client.post(address, {"_save": "Save", "post": "yes"})
            # To the sign-in, or to the page of one's own password.
            away = answer.status_code == 302 and answer["Location"].startswith(("/admin/login/", "/account"))
            shown = account is staff and address.count("/") == 2
            if not (away or shown or answer.status_code in (403, 404, 405)):
                wrong.append((account.username, address, answer.status_code))
            if account is not staff and client.get(address).status_code == 200:
                wrong.append((account.username, address, 200))
        assert tables() == before
    assert wrong == []
    assert len(addresses_there) > 100
