"""BX-1, BX-2, BX-5: lanes by service boundary, ids and batches from dependencies, and files that two lanes
share.
"""

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command

from orchestrator.core.terms import Reason
from orchestrator.models import RecordedVerdict
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

DECOMPOSITION = """# Plan: Shop front

## Workstream Decomposition

**WS-A: Price Service**
- Knows prices and discounts
- Files: `services/prices/*`, `tests/prices/*`
- Worktree: `.worktrees/WS-A`

**WS-B: Page Service**
- Shows them
- Files: `services/pages/*`
- Worktree: `.worktrees/WS-B`

## Task Dependencies

"""
LEVELS = (
    DECOMPOSITION
    + """- **A1:** Price model
  - Acceptance: unit tests pass
- **B1:** Empty page
- **A2:** Discounts (needs A1)
- **B2:** Page with prices (needs A2, B1)
"""
)
SHARED = (
    DECOMPOSITION.replace("`services/pages/*`", "`services/**`")
    + """### Batch 1 (Parallel - no dependencies)
- **A1:** Price model
- **B1:** Empty page
"""
)


def test_bx1_the_reviewer_sees_each_lane_with_the_files_it_owns(driver: Driver) -> None:
    version = driver.submit(LEVELS.encode()).version
    page = words(signed_in(driver.cast.reviewer).get(f"/plans/{version.workflow.slug}/v1/"))
    assert "Thread A: Price Service owns services/prices/*, tests/prices/*" in page
    assert "Thread B: Page Service owns services/pages/*" in page


def test_bx1_an_executor_is_told_its_lane_files_and_worktree(driver: Driver, planner: Machine) -> None:
    driver.start(LEVELS.encode())
    places = {key: planner.get(f"/api/tasks/{driver.task(key).pk}/")[1]["place"] for key in ("A1", "B1")}
    assert places["A1"]["owned_files"] == ["services/prices/*", "tests/prices/*"]
    assert [places[key]["worktree"] for key in ("A1", "B1")] == [".worktrees/WS-A", ".worktrees/WS-B"]


def test_bx2_batches_are_the_levels_of_the_dependencies_and_launches_follow_them(
    driver: Driver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "PLAN.md"
    file.write_text(LEVELS)
    call_command("preview_plan", str(file), "--json")
    printed = json.loads(capsys.readouterr().out)
    assert "inferred-levels" in [finding["code"] for finding in printed["findings"]], (
        "and the reviewer is told so"
    )
    assert printed["preview"]["launches"] == [["A1", "B1"], ["A2"], ["B2"]]
    driver.start(LEVELS.encode())
    batches = {key: driver.task(key).step.thread.batch.position for key in ("A1", "B1", "A2", "B2")}
    assert batches["A1"] == batches["B1"] < batches["A2"] < batches["B2"]


def test_bx2_acceptance_criteria_are_proved_before_a_task_is_complete(
    driver: Driver, planner: Machine
) -> None:
    driver.start(LEVELS.encode())
    brief = planner.get(f"/api/tasks/{driver.task('A1').pk}/")[1]
    assert [(one["kind"], one["text"]) for one in brief["criteria"]] == [("exit", "unit tests pass")]
    held = driver.claim("A1")
    agent = Machine.of(held.executor)
    done = {"token": held.token, "outcome": "Done.", "evidence": {}}
    status, answer = agent.post(f"/api/attempts/{held.attempt_id}/complete", done)
    assert (status, answer["code"]) == (422, "criteria-unmet")
    assert "unit tests pass" in answer["message"]


def test_bx2_work_is_parallel_sequential_and_convergent(driver: Driver) -> None:
    driver.start(LEVELS.encode())
    assert driver.ready() == ["A1", "B1"], "neither needs the other"
    driver.do("A1", "B1")
    assert driver.ready() == ["A2"], "one after the other"
    driver.do("A2")
    assert driver.ready() == ["B2"], "two lanes come together"


def test_bx5_the_review_points_out_lanes_that_own_the_same_files(driver: Driver) -> None:
    version = driver.submit(SHARED.encode()).version
    page = words(signed_in(driver.cast.reviewer).get(f"/plans/{version.workflow.slug}/v1/"))
    assert re.search(r"services/prices/\* .{0,40}services/\*\*", page)


def test_bx5_work_on_the_same_files_is_never_dispatched_together(driver: Driver, planner: Machine) -> None:
    driver.start(SHARED.encode())
    assert driver.ready() == ["A1"]
    held = planner.get(f"/api/tasks/{driver.task('B1').pk}/")[1]["task"]["explanation"]
    assert (held["reason"], held["holder"]) == (Reason.RESOURCE, "A1")
    assert RecordedVerdict.objects.filter(
        task=driver.task("B1"), reason=Reason.RESOURCE, holder="A1"
    ).exists()
    driver.do("A1")
    assert driver.ready() == ["B1"]


INSIDE = (
    DECOMPOSITION
    + """### Batch 1 (Parallel - no dependencies)
- **A1:** Price model
- **A2:** Discounts
- **A3:** Rounding
  - Files: `services/prices/rounding.py`
- **A4:** Notes
  - Files: `docs/prices.md`
- **B1:** Empty page
"""
)


def test_bx5_parallel_steps_of_one_lane_never_get_the_same_files(driver: Driver, planner: Machine) -> None:
    version = driver.submit(INSIDE.encode()).version
    page = words(signed_in(driver.cast.reviewer).get(f"/plans/{version.workflow.slug}/v1/"))
    assert "A1, A2 are parallel and have the files of Thread WS-A in common" in page
    driver.start(INSIDE.encode())
    assert driver.ready() == ["A1", "B1", "A4"], "A4 has files of its own"
    held = planner.get(f"/api/tasks/{driver.task('A2').pk}/")[1]["task"]["explanation"]
    assert (held["reason"], held["holder"]) == (Reason.RESOURCE, "A1")
    driver.do("A1")
    assert driver.ready() == ["B1", "A4", "A2"] or "A2" in driver.ready()
    assert "A3" not in driver.ready(), "its file belongs to the lane"
    driver.do("A2")
    assert "A3" in driver.ready()
