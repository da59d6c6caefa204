"""FR-011: an act that needs a role which nobody has is refused to everybody, on every way in.

Each act gets a made-up role of its own, so that a refusal tells which act made it. Whoever calls holds every
role there is: what lets them through has not asked the declaration.
"""

import ast
import asyncio
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from ninja.operation import Operation

from orchestrator.api.root import api
from orchestrator.core.errors import NotAllowed
from orchestrator.core.terms import ExecutorKind, Role, Scope, Settlement
from orchestrator.mcp.server import build_server
from orchestrator.models import AccessToken, Intervention, Policy
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import NO_ROLE, Act, every_act
from orchestrator.services.duties import WAITED_FOR, asked_of, inbox_of
from orchestrator.services.people.callers import Caller
from orchestrator.services.people.executors import PREFIX, register_executor
from orchestrator.services.people.tokens import digest_of
from tests.architecture.test_acts import Names, calls, sources
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.machines import Machine

#: How a refusal names the role, and so the act that asked for it.
SAID = re.compile(r"it needs the role steward of (\w+\.\w+)")
#: Operations that take a body and change nothing.
CHECKS = {"check"}
#: Pages that a form may be sent to, although they only show something.
SHOWN = {"inbox", "bundle"}
#: Acts of pages that look at a field before they know which act is meant.
FORMS: dict[str, list[dict[str, str]]] = {
    "plan-decide": [{"decision": name} for name in ("approve", "send-back", "withdraw", "withdraw-approval")],
    "gate-decide": [{"decision": name} for name in ("approve", "withdraw")],
    "plan-submit": [
        {"source": PLAN.decode(), "act": "submit"},
        {"plan-name": "PLAN.md", "plan-source": PLAN.decode(), "together": "bundle"},
        {"plan-name": "PLAN.md", "plan-source": PLAN.decode(), "together": "each"},
    ],
    "migration": [{"act": "approve"}, {"act": "apply"}],
    "tokens": [
        {"executor": "one-more", "kind": "agent", "label": "x", "scopes": "read", "days": "0"},
    ],
}


def role_of(act: Act[..., Any]) -> str:
    return f"steward of {act.name}"


@pytest.fixture
def everybody(world: Driver) -> User:
    return UserFactory(username="every", roles=list(Role))


@pytest.fixture
def stewards(everybody: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, Act[..., Any]]:
    """The acts by name, each given to a role that nobody has."""
    return given_to_nobody(monkeypatch)


def given_to_nobody(monkeypatch: pytest.MonkeyPatch) -> dict[str, Act[..., Any]]:
    acts = {one.name: one for one in every_act() if one.declaration.roles != NO_ROLE}
    for one in acts.values():
        monkeypatch.setattr(one, "declaration", replace(one.declaration, roles=(role_of(one),), asked=()))
    asked_of.cache_clear()
    return acts


def test_fr011_every_service_refuses_a_role_that_nobody_has(
    everybody: User, stewards: dict[str, Act[..., Any]]
) -> None:
    actor = Actor.person(everybody)
    assert len(stewards) > 50
    for name, one in stewards.items():
        with pytest.raises(NotAllowed) as refusal:
            one(actor=actor)
        assert refusal.value.details["role"] == role_of(one), name


def operations() -> Iterator[tuple[str, str, Operation]]:
    """Every operation that is no look-up, with its method and address."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    if method != "GET":
                        yield method, re.sub("/+", "/", f"/api/{prefix}{path and '/'}{path}"), operation


def fewest(schema: dict[str, Any]) -> int:
    fewest_of: int = schema.get("minItems", schema.get("minProperties", 0))
    return fewest_of


def sample(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    """The least value that fits a schema."""
    if "$ref" in schema:
        return sample(known[schema["$ref"].rsplit("/", 1)[1]], known)
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return sample(options[0], known)
    if "const" in schema or "enum" in schema:
        return schema.get("const") or schema["enum"][0]
    match schema.get("type"):
        case "object":
            members = schema.get("properties", {})
            values = {name: sample(members[name], known) for name in schema.get("required", [])}
            return (
                values or {"x": sample(schema["additionalProperties"], known)} if fewest(schema) else values
            )
        case "array":
            return [sample(schema["items"], known)] * fewest(schema)
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    if schema.get("format") == "uuid":
        return "00000000-0000-4000-8000-000000000000"
    return "x" * max(1, schema.get("minLength", 1))


def body_for(method: str, path: str, described: dict[str, Any]) -> Any:
    content = described["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    if not content:
        return None
    return sample(content["application/json"]["schema"], described["components"]["schemas"])


def test_fr011_every_rest_operation_refuses_a_role_that_nobody_has(
    everybody: User, stewards: dict[str, Act[..., Any]]
) -> None:
    executor = register_executor.function(
        name="every-token", kind=ExecutorKind.PERSON, user=everybody, now=NOON
    )
    machine = Machine(unasked_secret(executor), Client())
    described = api.get_openapi_schema(path_prefix="/api/")
    reached: set[str] = set()
    let_in: list[tuple[str, str, Any]] = []
    for method, route, operation in operations():
        path = re.sub(r"{\w+:(\w+)}", r"{\1}", route)
        acts = getattr(operation.view_func, "acts", ())
        if operation.view_func.__name__ in CHECKS:
            assert not acts, path
            continue
        address = path.format(**SAMPLES)
        status, answer = machine.call(method, address, body_for(method, path, described))
        if status != 403 or answer["details"].get("role") not in {role_of(one) for one in acts}:
            let_in.append((method, path, answer))
        reached |= {one.name for one in acts}
    assert let_in == []
    offered = {name for name, one in stewards.items() if one.declaration.scope is not None}
    only_close = {"workstreams.accept_workstream", "workstreams.archive_workstream"}
    assert offered - reached == only_close, "an act with a scope that no operation does"


SAMPLES = {
    **dict.fromkeys(("uuid", "workstream"), "00000000-0000-4000-8000-000000000000"),
    **dict.fromkeys(("slug", "name"), "release"),
    **dict.fromkeys(
        (
            "number",
            "task_id",
            "attempt_id",
            "blocker_id",
            "thread_id",
            "discussion_id",
            "artifact_id",
            "subscription_id",
            "migration",
        ),
        "1",
    ),
}


def unasked_secret(executor: Any) -> str:
    """A token, although the acts that make one are given to nobody here."""
    secret = f"{PREFIX}of-nobody"
    AccessToken.objects.create(
        executor=executor,
        label="x",
        digest=digest_of(secret),
        scopes=" ".join(sorted(Scope)),
        created_at=NOON,
        created_by=executor.user,
    )
    return secret


def test_fr011_every_tool_refuses_a_role_that_nobody_has(
    everybody: User, stewards: dict[str, Act[..., Any]]
) -> None:
    caller = Caller(Actor.person(everybody, frozenset(Role)), frozenset(Scope))
    server = build_server(lambda: caller)

    async def walk() -> set[str]:
        refused: set[str] = set()
        for tool in await server.list_tools():
            if tool.annotations and tool.annotations.read_only_hint:
                continue
            for arguments in ways_to_call(tool.input_schema):
                answer = await server.call_tool(tool.name, arguments)
                said = SAID.search(answer.content[0].text)  # type: ignore[union-attr]
                assert said, (tool.name, arguments, answer)
                refused.add(said[1])
        return refused

    assert asyncio.run(walk()) == acts_of_tools(), "an act that a tool does, or says it does, was let through"


def ways_to_call(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a tool needs, then the same with each box ticked: one may stand for another act."""
    properties = schema["properties"]
    fewest_given = {name: sample(properties[name], {}) for name in schema.get("required", [])}
    yield fewest_given
    for name, member in properties.items():
        if member.get("type") == "boolean":
            yield fewest_given | {name: True}


def acts_of_tools() -> set[str]:
    """The acts that the modules of tools name where they ask who calls."""
    asked = set()
    for _name, tree in sources("mcp"):
        names = Names(tree)
        doers = [call for call in calls(tree) if ast.unparse(call.func) == "self.doer"]
        asked |= {named.name for call in doers if isinstance(named := names.of(call.args[0]), Act)}
    return asked


def modules(package: str) -> Iterator[ModuleType]:
    for found in walk_packages(import_module(package).__path__, f"{package}."):
        yield import_module(found.name)


def handlers() -> dict[str, tuple[Act[..., Any], ...]]:
    """The functions of pages that do acts, by module and name."""
    found = {}
    for module in modules("orchestrator.web"):
        for name, value in vars(module).items():
            if getattr(value, "acts", ()) and value.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = value.acts
    return found


def pages(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    """Every page of people; the interface of machines and the administration are asked elsewhere."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            if one.app_name != "admin" and not str(one.pattern).startswith("api/"):
                yield from pages(one)
        elif isinstance(one, URLPattern) and one.name:
            yield one


def addresses(page: URLPattern, world: Driver) -> Iterator[str]:
    """The page's address with rows that are there; one for each act that the address may name."""
    workstream = world.reload()
    there = {
        "uuid": workstream.uuid,
        "slug": workstream.version.workflow.slug,
        "version": 1,
        "key": "A1",
        "task_id": world.task("MP1").pk,
        "intervention_id": Intervention.objects.get().pk,
        "name": "refunds",
        "after": "Batch 01",
    }
    values = {name: there.get(name, 1) for name in page.pattern.converters}
    if page.name == "policy":
        values["slug"] = Policy.objects.get().slug
    if "act" not in values:
        yield reverse(page.name, kwargs=values)
        return
    for act in acts_named_by(page):
        yield reverse(page.name, kwargs=values | {"act": act})


def told(answer: Any) -> set[str]:
    """The acts that refused, on the page or to whatever draws it: a form that is off shows no refusal."""
    given = answer.context.get("refusal") if answer.context else None
    return set(SAID.findall(f"{answer.content.decode()} {given}"))


def acts_named_by(page: URLPattern) -> list[str]:
    module = sys.modules[page.callback.__module__]
    if page.name == "workspace-act":
        return list(Settlement)
    owner = getattr(module, "prehandoff", module) if "prehandoff" in str(page.name) else module
    return list(owner.ACTS if hasattr(owner, "ACTS") else module.ACTS)


#: Forms whose acts ask whose the executor is, and no role.
OWNERS = {"executor-revoke", "executor-retire"}


def test_fr011_every_form_refuses_a_role_that_nobody_has(
    world: Driver, everybody: User, stewards: dict[str, Act[..., Any]]
) -> None:
    client = Client()
    client.force_login(everybody)
    refused: set[str] = set()
    let_in: list[tuple[str, dict[str, str], int]] = []
    for page in pages():
        if getattr(page.callback, "asks_no_role", False) and page.name != "tokens":
            continue
        if not getattr(page.callback, "login_required", True) or page.name in OWNERS:
            continue
        for address in addresses(page, world):
            for form in FORMS.get(page.name, [{}]):
                answer = client.post(address, form)
                if answer.status_code == 405 or page.name in SHOWN:
                    continue
                said = told(answer)
                refused |= said
                if answer.status_code != 403 or not said:
                    let_in.append((address, form, answer.status_code))
    assert let_in == []
    asked = {acts[0].name for acts in handlers().values()}
    assert asked - refused == set(), "a handler that no form was sent to"


def test_fr011_every_command_refuses_a_role_that_nobody_has(
    world: Driver, everybody: User, stewards: dict[str, Act[..., Any]], tmp_path: Path
) -> None:
    plan, slug = tmp_path / "PLAN.md", world.reload().slug
    plan.write_bytes(PLAN)
    register_executor.function(name="every-agent", kind=ExecutorKind.AGENT, user=everybody, now=NOON)
    by = ["--as", everybody.username]
    commands = [
        ["submit_plan", str(plan), *by],
        ["submit_plan", str(tmp_path), *by],
        ["submit_plan", str(plan), "--each", *by],
        ["save_workflow", slug, "--name", "x", "--parameter", "product=Card refunds", *by],
        ["migrate_workstreams", slug, "1", "--reason", "x", *by],
        ["sign_gate", slug, "MP1", *by],
        ["sign_gate", slug, "MP1", "--return-to", "A1", "--reason", "x", *by],
        ["create_token", "--executor", "every-agent"],
        ["create_token", "--executor", "one-more", "--user", everybody.username],
        ["workspace", "--settle", next(iter(Settlement)), "--reason", "x", *by],
        ["check_consistency", "--fix", *by],
        ["next", "--executor", "every-agent"],
        ["history_key", "--rotate", "--reason", "x", *by],
        ["history_key", "--replace", "x", "--reason", "x", *by],
    ]
    for command in commands:
        with pytest.raises(CommandError, match="it needs the role steward of"):
            call_command(*command)
    doing = {
        module.__name__.rpartition(".")[2]
        for module in modules("orchestrator.management.commands")
        for value in vars(module).values()
        if isinstance(value, Act) and value.declaration.roles != NO_ROLE
    }
    # `next` claims through what also tells why nothing is free.
    assert doing | {"next"} == {command[0] for command in commands}


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """What the inbox keeps of the declarations is forgotten before and after."""
    asked_of.cache_clear()
    yield
    asked_of.cache_clear()


def kinds_for(person: User) -> set[str]:
    return {section.kind for section, _entries in inbox_of(person).groups}


@pytest.mark.usefixtures("asked_anew")
def test_fr011_no_inbox_asks_for_a_role_that_nobody_has(
    world: Driver, everybody: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate asks whom the plan names, whatever an act declares; whoever opens it is refused as above."""
    world.start()
    asked = kinds_for(everybody)
    given_to_nobody(monkeypatch)
    assert (asked, kinds_for(everybody)) == ({"question", "gate", "claim", "lesson"}, {"gate"})


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("act", WAITED_FOR, ids=lambda act: act.name)
def test_fr011_an_inbox_asks_those_whom_the_act_declares(
    act: Act[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {action for one in WAITED_FOR if one is not act for action in one.declaration.records}
    own = set(act.declaration.records) - others
    assert own <= asked_of(frozenset(Role))
    monkeypatch.setattr(act, "declaration", replace(act.declaration, roles=(role_of(act),), asked=()))
    asked_of.cache_clear()
    assert own
    assert asked_of(frozenset(Role)).isdisjoint(own)
