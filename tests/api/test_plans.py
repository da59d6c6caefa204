"""WF-2, WF-3 over REST: check stores nothing, submit stores a version for people to review."""

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry, Task, Workflow, WorkflowVersion
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db
CYCLE = PLAN.decode().replace("- A1: Ledger entries for refunds", "- A1: Ledger entries (needs A2)")


@pytest.fixture
def planner(driver: Driver) -> Machine:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    return Machine.of(executor)


def test_check_says_what_approval_would_do_and_stores_nothing(planner: Machine) -> None:
    entries = HistoryEntry.objects.count()
    status, answer = planner.post("/api/plans/check", {"source": PLAN.decode()})
    assert (status, answer["approvable"]) == (200, True)
    effect = answer["preview"]
    assert (effect["tasks"], effect["starts"]) == (6, ["A1", "B1"])
    assert effect["launches"] == [["A1", "B1"], ["A2"], ["MP1"], ["C1"], ["D1"]]
    assert effect["gates"] == [{"key": "MP1", "count": 2, "holds": ["C1", "D1"]}]
    assert (Workflow.objects.count(), HistoryEntry.objects.count()) == (0, entries)


def test_check_of_a_cycle_names_the_line(planner: Machine) -> None:
    status, answer = planner.post("/api/plans/check", {"source": CYCLE})
    assert (status, answer["approvable"]) == (200, False)
    line = CYCLE.splitlines().index("- A1: Ledger entries (needs A2)") + 1
    assert line in {f["line"] for f in answer["findings"] if f["severity"] == "blocks"}


def test_submit_registers_a_version_for_review(driver: Driver, planner: Machine) -> None:
    body = {"source": PLAN.decode(), "source_name": "refunds.md"}
    status, answer = planner.post("/api/plans/", body, key="submit-1")
    assert (status, answer["version"], answer["approvable"]) == (201, 1, True)
    version = WorkflowVersion.objects.get(pk=answer["version_id"])
    assert (version.status, version.author, version.source_name) == (
        "in_review",
        driver.cast.initiator,
        "refunds.md",
    )
    assert version.source_sha256 == answer["sha256"]
    assert Task.objects.count() == 0
    assert HistoryEntry.objects.get(action="plan submitted").actor == "planner (agent of ines)"
    assert planner.post("/api/plans/", body, key="submit-1") == (status, answer)
    assert WorkflowVersion.objects.count() == 1

    new = body | {
        "source": PLAN.decode() + "\n",
        "workstream": answer["workstream"],
        "change_reason": "A blank line.",
    }
    status, second = planner.post("/api/plans/", new)
    assert (status, second["workstream"], second["version"]) == (201, answer["workstream"], 2)


def test_a_plan_that_cannot_be_scheduled_is_refused_with_its_findings(planner: Machine) -> None:
    status, answer = planner.post("/api/plans/", {"source": CYCLE})
    assert (status, answer["code"]) == (422, "plan-unreadable")
    assert answer["details"]["line"] == answer["findings"][0]["line"] > 0
    assert answer["findings"][0]["fix"]
    assert Workflow.objects.count() == 0


def test_submitting_needs_the_role(driver: Driver) -> None:
    worker = Machine.of(driver.cast.builder())
    status, answer = worker.post("/api/plans/", {"source": PLAN.decode()})
    assert (status, answer["code"]) == (403, "not-allowed")
    assert Workflow.objects.count() == 0


def test_checkpoints_are_remarks_where_the_caller_says_so(planner: Machine) -> None:
    source = "# Tasks: Lending\n## Phase 1: Shelf\n- [ ] T001 Build it\n**Checkpoint**: it stands\n"
    gates = planner.post("/api/plans/check", {"source": source})[1]
    remarks = planner.post("/api/plans/check", {"source": source, "checkpoints": "remarks"})[1]
    assert (gates["preview"]["tasks"], remarks["preview"]["tasks"]) == (2, 1)
    planner.post("/api/plans/", {"source": source, "checkpoints": "remarks"}, key="remarks-1")
    assert WorkflowVersion.objects.get().source.startswith("---\ncheckpoints: remarks\n---\n")
    assert planner.post("/api/plans/check", {"source": source, "checkpoints": "maybe"})[0] == 422
