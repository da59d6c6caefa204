"""What agents tell people over MCP: questions with choices, blockers, learnings.

A breaker is not theirs to answer.
"""

import asyncio

import pytest

from orchestrator.models import Learning
from orchestrator.services.work.failures import requeue
from tests.cast import Driver
from tests.machines import secret_of
from tests.mcp.connection import joined

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_agent_asks_blocks_and_teaches(driver: Driver) -> None:
    workstream = driver.start()
    a1, b1 = driver.task("A1").pk, driver.task("B1").pk
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with joined(secret) as session:
            await session.ok(
                "flag_for_human", task_id=a1, intervention_note="Which?", choices=["Euro", "Pound"]
            )
            brief = await session.ok("get_brief", task_id=a1)
            assert brief["interventions"][0]["choices"] == ["Euro", "Pound"]
            assert (await session.refused("clear_human_flag", task_id=a1, answer="Yen"))[
                "code"
            ] == "invalid-input"
            await session.ok("clear_human_flag", task_id=a1, answer="Euro")
            blocker = await session.ok(
                "declare_blocker", task_id=b1, kind="external", note="No key.", owner="rita"
            )
            assert (blocker["owner"], blocker["impact"]["delayed"]) == ("rita", ["MP1", "C1", "D1"])
            resolved = await session.ok("resolve_blocker", blocker_id=blocker["id"], resolution="It came.")
            assert resolved["resolution"] == "It came."
            uuid = str(workstream.uuid)
            refused = await session.refused("record_learning", workstream_id=uuid, after="Batch 01")
            assert refused["code"] == "reason-missing"
            await session.ok("record_learning", workstream_id=uuid, after="Batch 01", worked="Small commits.")
            await session.ok("record_learning", workstream_id=uuid, after="MP1", nothing=True)

    asyncio.run(agent())
    assert Learning.objects.get(after="Batch 01").worked == "Small commits."
    assert Learning.objects.get(after="MP1").worked == ""


def test_a_breaker_is_answered_by_a_person(driver: Driver) -> None:
    driver.start()
    for _ in range(3):
        driver.claim("A1")
        driver.fail("A1")
        if not driver.task("A1").needs_human:
            requeued(driver)
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with joined(secret) as session:
            refused = await session.refused("clear_human_flag", task_id=driver_task, answer="Fine now.")
            assert refused["code"] == "not-allowed"

    driver_task = driver.task("A1").pk
    asyncio.run(agent())
    assert driver.task("A1").needs_human


def requeued(driver: Driver) -> None:
    actor = driver.cast.actor("contributor")
    requeue(task_id=driver.task("A1").pk, reason="Again.", actor=actor, now=driver.tick())
    driver.advance()
