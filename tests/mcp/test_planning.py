"""An agent plans over MCP: checks, submits, reads what reviewers said, submits the next version
(WF-2, WF-3).
"""

import asyncio

import pytest
from django.db import connection

from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Workflow, WorkflowVersion
from orchestrator.services.people.executors import register_executor
from orchestrator.services.plans import comments
from orchestrator.services.review import decisions
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.machines import secret_of
from tests.mcp.connection import joined

pytestmark = pytest.mark.django_db(transaction=True)
CYCLE = PLAN.decode().replace("- A1: Ledger entries for refunds", "- A1: Ledger entries (needs A2)")
TICKED = "# Tasks: Lending\n\n## Phase 1: Setup\n\n- [x] T001 Create shelf.py\n- [ ] T002 Create card.py\n"


@pytest.fixture
def planner(driver: Driver) -> str:
    """The token of an agent whose account initiates plans."""
    user = UserFactory(username="planner-account", roles=[Role.INITIATOR])
    return secret_of(register_executor(name="planner", kind=ExecutorKind.AGENT, user=user, now=NOON))


def send_back(driver: Driver) -> None:
    version = WorkflowVersion.objects.get()
    reviewer = driver.cast.actor("reviewer")
    comments.open_discussion(
        version_id=version.pk, line=0, step="A2", body="Which report?", actor=reviewer, now=NOON
    )
    comments.open_discussion(
        version_id=version.pk, line=9, step="", body="Say whose money.", actor=reviewer, now=NOON
    )
    decisions.send_back_version(
        version_id=version.pk, seen_sha256=version.source_sha256, reason="Unclear.", actor=reviewer, now=NOON
    )
    connection.close()


def test_wf3_a_plan_is_checked_submitted_sent_back_and_revised(driver: Driver, planner: str) -> None:
    async def agent() -> None:
        async with joined(planner) as session:
            wrong = await session.ok("check_plan", source=CYCLE)
            assert wrong["approvable"] is False
            blocking = next(f for f in wrong["findings"] if f["severity"] == "blocks")
            assert {"code", "line", "message", "fix"} <= blocking.keys()
            assert blocking["line"] > 0
            refused = await session.refused("submit_plan", source=CYCLE)
            assert refused["code"] == "plan-unreadable"
            good = await session.ok("check_plan", source=PLAN.decode(), executors=2)
            assert (good["format"], good["approvable"], good["adoption"]) == ("plan", True, None)
            assert good["preview"]["launches"] == [["A1", "B1"], ["A2"], ["MP1"], ["C1"], ["D1"]]
            assert good["preview"]["critical_path"]
            sent = await session.ok("submit_plan", source=PLAN.decode(), source_name="refunds.md")
            assert (sent["workstream_slug"], sent["version"], sent["review"]) == (
                "card-refunds",
                1,
                "/plans/card-refunds/v1/",
            )
            await asyncio.to_thread(send_back, driver)
            said = await session.ok("list_comments", workflow="card-refunds")
            assert (said["status"], said["reason"], said["count"]) == ("sent_back", "Unclear.", 2)
            shown = [(one["step"], one["line"], one["comments"][0]["body"]) for one in said["discussions"]]
            on_step = PLAN.decode().splitlines().index("- A2: Ledger report") + 1
            assert shown == [("A2", on_step, "Which report?"), ("", 9, "Say whose money.")]
            text = PLAN.decode().replace("- A2: Ledger report", "- A2: Monthly report of the ledger")
            again = await session.refused("submit_plan", source=text, workstream_id=sent["workstream"])
            assert again["code"] == "reason-missing"
            second = await session.ok(
                "submit_plan",
                source=text,
                workstream_id=sent["workstream"],
                change_reason="Says which report.",
            )
            assert second["version"] == 2
            left = await session.ok("list_comments", workflow="card-refunds")
            assert (left["version"], {one["step"]: one["changed"] for one in left["discussions"]}["A2"]) == (
                2,
                True,
            )
            assert (await session.refused("list_comments", workflow="nowhere"))["code"] == "not-found"
            assert (await session.refused("check_plan", source="x", executors=0))["code"] == "invalid-input"

    asyncio.run(agent())
    assert WorkflowVersion.objects.count() == 2


def test_wf8_an_agent_says_that_the_state_is_to_be_adopted(driver: Driver, planner: str) -> None:
    async def agent() -> None:
        async with joined(planner) as session:
            checked = await session.ok("check_plan", source=TICKED)
            assert (checked["format"], checked["adoption"]["counts"]) == ("spec-kit", {"complete": 1})
            assert checked["adoption"]["starts"] == ["T002"]
            assert (checked["preview"]["taken_over"], checked["preview"]["launches"]) == (
                0,
                [["T001"], ["T002"]],
            )
            rest = (await session.ok("check_plan", source=TICKED, adopt=True))["preview"]
            assert (rest["taken_over"], rest["launches"]) == (1, [["T002"]])
            assert (await session.ok("submit_plan", source=TICKED, adopt=True))["adopts"] is True

    asyncio.run(agent())
    assert WorkflowVersion.objects.get().adopts


def test_a_token_that_may_only_read_checks_and_submits_nothing(driver: Driver) -> None:
    reader = secret_of(driver.cast.builder(), frozenset({"read"}))

    async def agent() -> None:
        async with joined(reader) as session:
            assert (await session.ok("check_plan", source=TICKED))["approvable"] is True
            refused = await session.refused("submit_plan", source=TICKED)
            assert (refused["code"], refused["details"]) == ("not-allowed", {"scope": "manage"})

    asyncio.run(agent())
    assert Workflow.objects.count() == 0


def test_ad1_an_agent_leaves_needs_to_the_reviewer_and_chooses_a_tag(driver: Driver, planner: str) -> None:
    stuck = "# Plan: Move\n\n### Batch 1\n- A1: Pack (needs Z9)\n- A2: Load\n"
    tags = '{"one": {"tasks": [{"id": 1, "title": "Pack"}]}, "two": {"tasks": [{"id": 1, "title": "Load"}]}}'

    async def agent() -> None:
        async with joined(planner) as session:
            assert (await session.ok("check_plan", source=tags, tag="two"))["approvable"] is True
            refused = await session.refused("submit_plan", source=stuck)
            assert "leave_needs" in refused["recovery"]
            unknown = await session.refused("submit_plan", source=stuck, leave_need=True)
            assert unknown["details"] == {"field": "leave_need"}
            assert "Did you mean leave_needs?" in unknown["recovery"]
            assert (await session.ok("submit_plan", source=stuck, leave_needs=True))["version"] == 1
            await session.ok("submit_plan", source=tags, tag="two", checkpoints="remarks")

    asyncio.run(agent())
    assert sorted(Workflow.objects.values_list("name", flat=True)) == ["Move", "two"]
