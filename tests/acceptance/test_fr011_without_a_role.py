"""FR-011, B28: an account without a role sees its own account, and nothing of what it sends is stored.

Every URL pattern, every REST operation, every MCP tool and the commands; a group of another name is no role.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from orchestrator.core.terms import CriterionKind
from orchestrator.models import AccessToken, Assignment, Discussion, Executor
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.services.base.actor import Actor
from orchestrator.services.people import callers
from orchestrator.services.plans.comments import open_discussion
from orchestrator.services.work.claims import claim
from orchestrator.web import admission
from tests.acceptance.accounts import contributor, tables, take_roles_away
from tests.api.test_every_route import routes
from tests.cast import PLAN, Cast, Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.web.pages import words

#: The only addresses that answer such an account with anything but the refusal: its own, and what everybody
#: may read.
OWN = {"accounts/login/", "accounts/logout/", "tokens/", "tokens/<int:token_id>/revoke/", "admin/login/"}
OWN |= {
    "accounts/login/code/",
    "account/",
    "account/password/",
    "account/sign-out/",
    "account/sign-out/one/",
    "account/second-factor/",
}
OWN |= {"account/second-factor/codes/", "account/second-factor/off/"}
PUBLIC = {
    *("schema/", "schema/<slug:name>/<str:version>.json", "health", "ready", "metrics"),
    # A feed reader signs in nowhere: the address itself is the secret, and any other is not there.
    "notifications/<int:subscription_id>/<str:key>.atom",
}
#: The administration's pattern for every other address.
CATCH_ALL = "(?P<url>.*)$"


#: What a REST address names by anything but a number.
KINDS = {"uuid": "uuid", "workstream": "uuid", "slug": "slug", "name": "slug"}


@pytest.fixture
def working(driver: Driver) -> tuple[Driver, User, Executor, Assignment]:
    """Somebody holds A1, and has a draft; then their roles are taken away."""
    driver.start()
    user, agent = contributor("nemo")
    held = claim(
        attempt_id=driver.attempt("A1").pk, executor=agent, actor=Actor.member(agent), now=driver.tick()
    )
    open_discussion(
        version_id=driver.reload().version_id, body="A draft.", actor=Actor.person(user), now=driver.tick()
    )
    return driver, user, agent, held


@pytest.fixture(params=[(), ("wizard", "Contributor", "contributors")], ids=["no group", "other groups"])
def nobody(
    working: tuple[Driver, User, Executor, Assignment], request: pytest.FixtureRequest
) -> tuple[Driver, User, str]:
    driver, user, agent, _ = working
    secret = secret_of(agent)
    take_roles_away(user, *request.param)
    return driver, user, secret


def patterns(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    for one in (resolver or get_resolver()).url_patterns:
        here = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one, here)
        elif isinstance(one, URLPattern):
            yield here


def filled(route: str, driver: Driver) -> str:
    """The address of a pattern, with rows that are there."""
    route = route.replace(CATCH_ALL, "nowhere")
    workstream = driver.reload()
    there = {
        "<uuid:uuid>": str(workstream.uuid),
        "<uuid:workstream>": str(workstream.uuid),
        "<int:task_id>": str(driver.task("A1").pk),
        "<int:attempt_id>": str(driver.attempt("A1").pk),
        "<str:key>": "A1",
        "<slug:slug>": workstream.version.workflow.slug,
    }
    for name, value in there.items():
        route = route.replace(name, value)
    parts = [part.partition(">") for part in route.split("<")]
    samples = {"int": "1", "uuid": str(workstream.uuid)}
    return (
        "/"
        + parts[0][0]
        + "".join(samples.get(kind.split(":")[0], "release") + rest for kind, _, rest in parts[1:])
    )


@pytest.mark.django_db
def test_fr011_the_refusal_leads_to_what_an_account_without_a_role_may_see(
    nobody: tuple[Driver, User, str],
) -> None:
    client = Client(headers={"accept": "text/html"})
    client.force_login(nobody[1])
    page = client.get("/portfolio/")
    said, shown = words(page).rsplit("You hold no role here.", 1)[1], page.content.decode()
    assert "Your account Your executors and tokens" in said
    assert shown.count('href="/account/"') == 2, "in the menu and beside the refusal"
    assert client.get("/account/").status_code == 200


@pytest.mark.django_db
def test_fr011_no_page_is_shown_to_an_account_without_a_role(nobody: tuple[Driver, User, str]) -> None:
    driver, user, _ = nobody
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    before, seen = tables(), 0
    for route in patterns():
        if route in OWN | PUBLIC or route.startswith(("api/", "^api")):
            continue  # machines' addresses are walked below
        for method in ("GET", "POST"):
            response = client.generic(method, filled(route, driver))
            said = words(response)
            if response.status_code == 405 and "method-not-allowed" in said:
                continue  # an address shared with machines, which say so before they ask who calls
            assert response.status_code == 403, (method, route, response.status_code, said[:300])
            assert "You hold no role here" in said or "holds no role here" in said, (route, said[:300])
            assert "Ask an administrator for a role" in said or '"recovery"' in said, (route, said[:300])
            assert "Card refunds" not in said, route
            seen += 1
    assert seen > 150
    assert tables() == before


@pytest.mark.django_db
def test_fr011_what_is_left_are_sign_out_and_ones_own_tokens(nobody: tuple[Driver, User, str]) -> None:
    driver, user, secret = nobody
    theirs = AccessToken.objects.get(executor__user=user)
    other = secret_of(driver.cast.builder("builder-of-carl"))
    client = Client()
    client.force_login(user)
    page = client.get("/")
    assert page.status_code == 403
    assert 'action="/accounts/logout/"' in page.content.decode()
    assert 'href="/tokens/"' in page.content.decode()
    assert 'href="/plans/"' not in page.content.decode()
    before = tables()
    listed = client.get("/tokens/")
    assert (listed.status_code, "nemos-agent" in words(listed)) == (200, True)
    assert "builder-of-carl" not in words(listed)
    form = {"executor": "mine-too", "kind": "agent", "label": "x", "scopes": ["read"]}
    assert client.post("/tokens/", form).status_code == 403
    foreign = AccessToken.objects.exclude(executor__user=user).latest("pk")
    assert client.post(f"/tokens/{foreign.pk}/revoke/").status_code == 403
    assert tables() == before
    assert client.post(f"/tokens/{theirs.pk}/revoke/").status_code == 302, (
        "giving up one's own is always possible"
    )
    assert Machine(secret, Client()).get("/api/tasks/")[0] == 401
    assert Machine(other, Client()).get("/api/tasks/")[0] == 200
    assert client.post("/accounts/logout/").status_code == 302


@pytest.mark.django_db
def test_fr011_no_rest_operation_answers_an_account_without_a_role(nobody: tuple[Driver, User, str]) -> None:
    driver, user, secret = nobody
    by_session = Client()
    by_session.force_login(user)
    before = tables()
    operations = [*routes(), ("get", "/tasks/"), ("patch", "/tasks/1/")]
    for method, path in operations:
        address = filled(
            re.sub(r"{(\w+)}", lambda name: f"<{KINDS.get(name[1], 'int')}:{name[1]}>", path)[1:], driver
        )
        answers = [
            Machine(secret, Client(enforce_csrf_checks=True)).call(method.upper(), address, {}, key="k"),
            sent(by_session, method, address),
        ]
        for status, answer in answers:
            assert (status, answer["code"]) == (403, "no-role"), (method, path, answer)
            assert "administrator" in answer["recovery"]
    assert len(operations) > 80
    assert tables() == before


def sent(client: Client, method: str, address: str) -> tuple[int, dict[str, str]]:
    headers = {"accept": "application/json"}
    response = client.generic(method.upper(), address, "{}", content_type="application/json", headers=headers)
    return response.status_code, response.json()


@pytest.mark.django_db(transaction=True)
def test_fr011_no_mcp_tool_answers_an_account_that_lost_its_role(cast: Cast) -> None:
    user, agent = contributor("nemo")
    secret = secret_of(agent)

    def lose() -> dict[str, object]:
        take_roles_away(user, "wizard")
        found = tables()
        connection.close()
        return found

    async def walk() -> tuple[dict[str, object], int]:
        async with joined(secret) as session:
            await session.ok("list_claimable_tasks")
            before = await asyncio.to_thread(lose)
            tools = (await session.client.list_tools()).tools
            for tool in tools:
                wanted = tool.input_schema.get("required", [])
                kinds = {name: tool.input_schema["properties"][name].get("type") for name in wanted}
                arguments = {name: SAMPLES[kind or ""] for name, kind in kinds.items()}
                refused = await session.refused(tool.name, **arguments)
                assert refused["code"] == "no-role", (tool.name, refused)
            return before, len(tools)

    before, count = asyncio.run(walk())
    assert count > 20
    assert tables() == before


SAMPLES = {"integer": 1, "string": "x", "object": {}, "array": [], "boolean": True, "": "x"}


@pytest.mark.django_db
def test_fr011_commands_refuse_an_account_without_a_role(
    nobody: tuple[Driver, User, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "PLAN.md").write_bytes(PLAN)
    before = tables()
    for command in (
        ["submit_plan", str(plans / "PLAN.md"), "--as", "nemo"],
        ["submit_plan", str(plans), "--each", "--as", "nemo"],
        ["create_token", "--executor", "nemos-agent"],
        ["create_token", "--executor", "another", "--user", "nemo"],
        ["continue", "--executor", "nemos-agent"],
        ["mcp", "--executor", "nemos-agent"],
        [
            "save_workflow",
            "card-refunds",
            "--name",
            "x",
            "--parameter",
            "product=Card refunds",
            "--as",
            "nemo",
        ],
    ):
        with pytest.raises(CommandError, match=r"no role|needs the role"):
            call_command(*command)
    capsys.readouterr()
    for who in (["--executor", "nemos-agent"], ["--as", "nemo"]):
        with pytest.raises(SystemExit):
            call_command("call", "GET", "/api/tasks/", *who)
        assert json.loads(capsys.readouterr().out)["code"] == "no-role"
    assert tables() == before


@pytest.mark.django_db
def test_fr011_behind_the_door_every_act_asks_for_itself(
    working: tuple[Driver, User, Executor, Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, user, agent, held = working
    machine = Machine.of(agent)
    take_roles_away(user)
    monkeypatch.setattr(callers, "_let_in", callers.Caller)
    monkeypatch.setattr(admission, "refusal_without_role", lambda _request: None)
    page = Client()
    page.force_login(user)
    proof = {c.pk: "seen" for c in driver.task("A1").step.criteria.filter(kind=CriterionKind.EXIT)}
    attempt, plan = f"/api/attempts/{held.attempt_id}", driver.reload().version.workflow.slug
    review, task = f"/plans/{plan}/v1/comments", f"/workstreams/{driver.reload().uuid}/tasks/A1"
    discussion = Discussion.objects.get()
    token = {"token": held.token}
    before = tables()
    for address, body in {
        f"{attempt}/claim": {},
        f"{attempt}/report": token | {"breadcrumb": "half"},
        f"{attempt}/complete": token | {"evidence": proof, "outputs": {"big.txt": "x" * 1_000_000}},
        f"{attempt}/fail": token | {"error": "broke"},
        f"{attempt}/steps": token | {"tasks": "More | it runs", "reason": "needed"},
        f"{attempt}/declare-failure": {"reason": "gone"},
        f"/api/tasks/{driver.task('A1').pk}/send-back": {"reason": "again"},
    }.items():
        status, answer = machine.post(address, body)
        assert (status, answer["code"]) == (403, "not-allowed"), (address, answer)
    for address, form in {
        f"{review}/add": {"body": "Hm.", "line": "1"},
        f"{review}/change": {"comment": discussion.comments.get().pk, "body": "Other."},
        f"{review}/discard": {"comment": discussion.comments.get().pk},
        f"{review}/viewed": {"viewed": "yes", "number": "1"},
        f"{task}/claim": {"attempt": driver.attempt("B1").pk},
        f"{task}/flag": {"note": "Help."},
        "/tokens/": {"executor": "more", "kind": "agent", "label": "x", "scopes": ["read"]},
    }.items():
        assert page.post(address, form).status_code == 403, address
    assert tables() == before


@pytest.mark.django_db
def test_fr011_a_group_of_another_name_gives_nothing_beside_a_role(cast: Cast, driver: Driver) -> None:
    driver.start()
    user, agent = contributor("nemo")
    machine = Machine.of(agent)
    take_roles_away(user, "observer", "Approver", "approvers", "wizard")
    assert machine.get("/api/tasks/")[0] == 200
    assert machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")[0] == 403
    assert "wizard" not in words(signed(user).get("/"))


def signed(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_fr011_an_account_that_is_called_like_a_role_does_not_hold_it(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "A2", "B1")
    user, _ = contributor("reviewer")
    gate = f"/gates/{driver.task('MP1').pk}/"
    client = signed(user)
    before = tables()
    assert client.post(f"{gate}decide", {"decision": "approve"}).status_code == 403
    assert tables() == before
    assert "MP1" not in words(client.get("/"))


@pytest.mark.django_db
def test_fr009_an_open_log_shows_hashes_and_nothing_that_entries_say(
    nobody: tuple[Driver, User, str], settings
) -> None:
    settings.PUBLIC_LOG = True
    _, user, _ = nobody
    without = Client()
    without.force_login(user)
    size = entries_sealed()
    assert without.get("/log/checkpoint").status_code == Client().get("/log/checkpoint").status_code == 200
    assert without.get(f"/log/tile/entries/000.p/{size}").status_code == 403
    assert Client().get(f"/log/tile/entries/000.p/{size}").status_code == 302
