"""LC-8: the seed's four MCP tools, by their names and arguments, over stdio."""

import asyncio

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry, Intervention
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver
from tests.machines import secret_of
from tests.mcp.connection import connected, joined

pytestmark = pytest.mark.django_db(transaction=True)
SEED_TOOLS = {
    "flag_for_human": {"task_id", "intervention_note"},
    "clear_human_flag": {"task_id", "answer"},
    "list_human_interventions": set(),
    "update_workstream_status": {"workstream_id", "status", "reason"},
}


def test_lc8_an_agent_asks_a_person_and_goes_on(driver: Driver) -> None:
    driver.start()
    secret, task = secret_of(driver.cast.builder()), driver.task("A1")

    async def agent() -> None:
        async with connected(ORCHESTRATOR_TOKEN=secret) as session:
            assert (await session.ok("list_human_interventions"))["count"] == 0
            flagged = await session.ok("flag_for_human", task_id=task.pk, intervention_note="Which currency?")
            assert (flagged["needs_human"], flagged["intervention_note"]) == (True, "Which currency?")
            waiting = await session.ok("list_human_interventions")
            assert [(i["key"], i["intervention_note"]) for i in waiting["items"]] == [
                ("A1", "Which currency?")
            ]
            cleared = await session.ok("clear_human_flag", task_id=task.pk, answer="Euro.")
            assert cleared["needs_human"] is False

    asyncio.run(agent())
    intervention = Intervention.objects.get()
    assert (intervention.note, intervention.answer, intervention.raised_by) == (
        "Which currency?",
        "Euro.",
        "builder-1 (agent of carl)",
    )
    entries = HistoryEntry.objects.filter(
        workstream=driver.workstream, actor="builder-1 (agent of carl)"
    ).order_by("sequence")
    assert list(entries.values_list("action", "reason")) == [
        ("flagged for a human", "Which currency?"),
        ("intervention done", "Euro."),
    ]


def test_lc8_a_flag_without_a_note_is_refused_with_the_way_out(driver: Driver) -> None:
    driver.start()
    secret, task = secret_of(driver.cast.builder()), driver.task("A1")

    async def agent() -> None:
        async with joined(secret) as session:
            refusal = await session.refused("flag_for_human", task_id=task.pk, intervention_note=" ")
            assert (refusal["code"], refusal["details"]) == ("note-missing", {"field": "intervention_note"})

    asyncio.run(agent())
    assert not driver.task("A1").needs_human


def test_lc8_update_workstream_status_accepts_a_finished_workstream(driver: Driver) -> None:
    driver.start()
    steward = register_executor(name="steward", kind=ExecutorKind.AGENT, user=driver.cast.approver, now=NOON)
    secret, uuid = secret_of(steward), str(driver.reload().uuid)

    async def accept_too_early() -> None:
        async with joined(secret) as session:
            call = {"workstream_id": uuid, "status": "completed"}
            assert (await session.refused("update_workstream_status", **call))["code"] == "not-finished"
            wrong = await session.refused("update_workstream_status", workstream_id=uuid, status="deleted")
            assert (wrong["code"], wrong["details"]) == ("invalid-input", {"field": "status"})

    async def accept() -> None:
        async with joined(secret) as session:
            accepted = await session.ok("update_workstream_status", workstream_id=uuid, status="completed")
            assert accepted["status"] == "completed"

    asyncio.run(accept_too_early())
    assert driver.reload().status == "active"
    driver.finish()
    asyncio.run(accept())
    assert driver.reload().accepted_by == driver.cast.approver
    assert (
        HistoryEntry.objects.filter(action="workstream accepted", actor="steward (agent of anna)").count()
        == 1
    )


def test_lc8_the_tools_have_the_seeds_names_and_arguments(driver: Driver) -> None:
    driver.start()
    secret = secret_of(driver.cast.builder())

    async def names() -> dict[str, set[str]]:
        async with joined(secret) as session:
            listed = (await session.client.list_tools()).tools
            assert all(tool.description for tool in listed)
            return {tool.name: set(tool.input_schema["properties"]) for tool in listed}

    tools = asyncio.run(names())
    # `choices` and `question` are our own, optional: the seed's calls work as they stand.
    assert {
        name: tools[name] - {"choices", "idempotency_key", "question"} for name in SEED_TOOLS
    } == SEED_TOOLS
