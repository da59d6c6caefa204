"""FR-027, LC-8: an agent is offered few tools in few words, over stdio and over HTTP, and does its work with
them.
"""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2
import pytest
from django.db import connection
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import AccessToken, Assignment, Policy
from orchestrator.services.people.executors import register_executor, revoke_token
from orchestrator.services.workstreams.workstreams import accept_workstream
from tests.cast import NOON, PLAN, Driver
from tests.machines import secret_of
from tests.mcp.connection import Session, connected, joined, process_environment, server

pytestmark = pytest.mark.django_db(transaction=True)
#: 4,000 tokens of four characters.
MOST = 16_000
AGENT = ("--profile", "agent")


@contextmanager
def http_server(profile: str = "agent") -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = server("--http", "--port", str(port), "--profile", profile)
    process = subprocess.Popen(
        [command.command, *command.args], env=process_environment(), cwd=command.cwd, stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(20)


@asynccontextmanager
async def over_http(address: str, secret: str) -> AsyncIterator[Session]:
    headers = {"Authorization": f"Bearer {secret}"}
    web = httpx2.AsyncClient(headers=headers, timeout=60)
    async with web, Client(streamable_http_client(address, http_client=web)) as client:
        yield Session(client)


async def does_a_task(session: Session, key: str) -> None:
    """From finding it to its completion, with a call that is repeated and one that is not understood."""
    claimed = await session.ok("next_task", wait=0, idempotency_key="first")
    claim = claimed["claim"]
    assert claim["attempt"]["key"] == key
    assert await session.ok("next_task", wait=0, idempotency_key="first") == claimed
    (held,) = (await session.ok("my_tasks"))["items"]
    assert (held["attempt"], held["token"]) == (claim["attempt"]["id"], claim["token"])
    mine = {"attempt_id": held["attempt"], "token": held["token"]}
    odd = await session.refused("report_progress", **mine, breadcrumb="x", mood="good")
    assert odd["details"] == {"field": "mood"}
    assert odd["recovery"] == (
        "It takes attempt_id, breadcrumb, idempotency_key, token, usage; nothing was done."
    )
    await session.ok("report_progress", **mine, breadcrumb="Begun.")
    unproved = await session.refused("complete_task", **mine)
    assert "complete_task with evidence by criterion id" in unproved["recovery"]
    proofs = {str(one["id"]): "12 passed" for one in claim["criteria"] if one["asked"]}
    done = await session.ok("complete_task", **mine, evidence=proofs, idempotency_key="done")
    assert done["status"] == "completed"
    assert await session.ok("complete_task", **mine, evidence=proofs, idempotency_key="done") == done
    other = await session.refused("complete_task", **mine, evidence={}, idempotency_key="done")
    assert other["code"] == "idempotency-key-reused"


def test_fr027_the_agent_profile_is_short_and_enough(driver: Driver) -> None:
    driver.start()
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with connected(*AGENT, ORCHESTRATOR_TOKEN=secret) as session:
            tools = (await session.client.list_tools()).tools
            told = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in tools]
            assert len(tools) <= 12
            assert len(json.dumps(told, ensure_ascii=False).encode()) <= MOST
            await does_a_task(session, "A1")
            gone = await session.refused("approve_gate", task_id=1)
            assert (gone["code"], "next_task" in gone["recovery"]) == ("not-found", True)

    asyncio.run(agent())
    assert driver.task("A1").status == "complete"


def test_lc8_agents_work_over_http_each_with_its_own_token(driver: Driver) -> None:
    driver.start()
    one, two = secret_of(driver.cast.builder("one")), secret_of(driver.cast.builder("two"))

    async def agents(address: str) -> None:
        async with over_http(address, one) as first, over_http(address, two) as second:
            await does_a_task(first, "A1")
            await does_a_task(second, "B1")
            await asyncio.to_thread(revoked)
            with pytest.raises(Exception):  # noqa: B017 (the SDK's own kind of it)
                await second.client.call_tool("my_tasks", {})

    def revoked() -> None:
        token = AccessToken.objects.get(executor__name="two")
        revoke_token(token_id=token.pk, actor=driver.cast.actor("contributor"), now=NOON)
        connection.close()

    with http_server() as address:
        asyncio.run(agents(address))
        without = httpx2.post(address, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert (without.status_code, without.json()["code"]) == (401, "not-signed-in")
        assert without.headers["www-authenticate"] == "Bearer"
    assert set(Assignment.objects.values_list("executor__name", flat=True)) == {"one", "two"}


def test_lc8_resources_and_the_prompt_that_starts_an_agent(driver: Driver) -> None:
    driver.start()
    secret, task = secret_of(driver.cast.builder()), driver.task("A1").pk
    artifact = driver.attempt("A1").artifacts.get().pk
    Policy.objects.create(slug="tests", title="Tests", body="Run them.", updated_at=NOON)

    async def agent() -> None:
        async with joined(secret, "agent") as session:
            client = session.client
            templates = (await client.list_resource_templates()).resource_templates
            assert len(templates) == 4
            assert await listed(client) == ["orchestrator://policies/tests"]
            await session.ok("next_task", wait=0)
            assert await listed(client) == [
                f"orchestrator://tasks/{task}/brief",
                "orchestrator://workstreams/card-refunds/plan",
                "orchestrator://policies/tests",
            ]
            plan = await text_at(client, "orchestrator://workstreams/card-refunds/plan")
            assert plan.startswith("---\ndomain: payments")
            brief = json.loads(await text_at(client, f"orchestrator://tasks/{task}/brief"))
            assert brief["task"]["key"] == "A1"
            body = json.loads(await text_at(client, f"orchestrator://artifacts/{artifact}"))
            assert body["eventType"]
            assert await text_at(client, "orchestrator://policies/tests") == "# Tests\n\nRun them."
            with pytest.raises(MCPError, match="There is no such task") as missing:
                await text_at(client, "orchestrator://tasks/999999/brief")
            assert missing.value.error.code == INVALID_PARAMS
            prompt = await client.get_prompt("work", {"workstream": "card-refunds"})
            said = prompt.messages[0].content.text
            assert "next_task with workstream 'card-refunds'" in said

    asyncio.run(agent())


def test_fr006_a_person_signs_with_their_token_in_the_full_profile(driver: Driver) -> None:
    driver.start()
    driver.do("B1", "A1", "A2")
    person = register_executor(name="rita-s", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    by_person, by_agent = secret_of(person), secret_of(driver.cast.builder())

    async def people() -> None:
        async with joined(by_agent) as agent:
            waiting = (await agent.ok("workstream_status", workstream="card-refunds"))["items"]
            assert {one["key"]: bool(one["explanation"]) for one in waiting}["MP1"]
            (gate,) = (await agent.ok("list_gates"))["items"]
            assert (await agent.refused("approve_gate", task_id=gate["task"]))["code"] == "not-allowed"
            assert (await agent.ok("list_artifacts", workstream="card-refunds"))["count"] > 3
        async with joined(by_person) as reviewer:
            signed = await reviewer.ok("approve_gate", task_id=gate["task"], reason="Seen.")
            assert signed["status"] == "complete"

    asyncio.run(people())


def test_fr027_claimable_tasks_of_one_workstream_or_repository(driver: Driver) -> None:
    driver.start(PLAN.replace(b"---\n", b"---\nrepository: shop\n", 1))
    driver.start(PLAN.replace(b"Card refunds", b"Gift cards"))
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with joined(secret, "agent") as session:

            async def claimable(**asked: str) -> set[str]:
                items = (await session.ok("list_claimable_tasks", **asked))["items"]
                return {one["workstream_slug"] for one in items}

            assert await claimable() == {"card-refunds", "gift-cards"}
            assert await claimable(workstream="gift-cards") == {"gift-cards"}
            assert await claimable(repository="shop") == {"card-refunds"}
            unknown = await session.refused("list_claimable_tasks", repository="ship")
            assert unknown["details"] == {"field": "repository"}

    asyncio.run(agent())


def test_fr027_a_workstream_is_found_whatever_its_state(driver: Driver) -> None:
    driver.start()
    driver.finish()
    accept_workstream(
        workstream_id=driver.reload().pk, actor=driver.cast.actor("approver"), now=driver.tick()
    )
    secret, done = secret_of(driver.cast.builder()), driver.reload().done_tasks

    async def agent() -> None:
        async with joined(secret) as session:
            told = await session.ok("workstream_status", workstream="card-refunds")
            assert told["count"] == done
            assert {one["status"] for one in told["items"]} == {"complete"}

    asyncio.run(agent())


async def listed(client: Any) -> list[str]:
    return [str(one.uri) for one in (await client.list_resources()).resources]


async def text_at(client: Any, address: str) -> str:
    (content,) = (await client.read_resource(address)).contents
    return str(content.text)
