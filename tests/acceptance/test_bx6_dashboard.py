"""BX-6: the dashboard names the critical path of what is open, who holds it up, and what a gate waits for."""

from orchestrator.services.work.failures import requeue
from tests.acceptance.workspace_files import Files
from tests.cast import PLAN, Driver

DASHBOARD = "workstreams/card-refunds/EXECUTION-DASHBOARD.md"
LANES = (
    PLAN.replace(b"###### Thread 01: ledger", b"###### Thread 01: ledger\n- Worktree: `.worktrees/WS-A`")
    .replace(b"- B1: Gateway", b"- B1: Gateway way\n  - Exit: it answers\n- B2: Gateway")
    .replace(b"A2 + B1 complete", b"A2 + B2 complete")
)


def bottleneck(board: str) -> str:
    return board[board.index("Current bottleneck: ") :].strip()


def path(board: str) -> str:
    return board.split("## Critical Path\n\n```\n")[1].split("\n")[0]


def test_bx6_bottleneck_is_the_open_step_that_can_be_worked_on(driver: Driver, files: Files) -> None:
    driver.start(LANES)
    for key in ("A1", "A2", "B1"):
        driver.do(key)
    assert driver.ready() == ["B2"]
    board = files.text(DASHBOARD)
    assert path(board) == "B2 → [MP1] → C1 → D1"
    assert bottleneck(board).startswith("Current bottleneck: **B2** (")


def test_bx6_a_merge_point_waits_for_all_its_open_triggers(driver: Driver, files: Files) -> None:
    driver.start(LANES)
    assert "Merge Point MP1: ⏸️ BLOCKED (waiting on A2 + B2)\n" in files.text(DASHBOARD)
    driver.do("A1")
    driver.do("A2")
    assert "Merge Point MP1: ⏸️ BLOCKED (waiting on B2)\n" in files.text(DASHBOARD)
    driver.do("B1")
    driver.do("B2")
    assert "Merge Point MP1: 🔄 ACTIVE" in files.text(DASHBOARD)
    assert bottleneck(files.text(DASHBOARD)).startswith("Current bottleneck: **MP1** (")


def test_bx6_a_lane_that_failed_is_not_active(driver: Driver, files: Files) -> None:
    driver.start(LANES)
    driver.do("A1")
    driver.claim("A2")
    driver.fail("A2", "Three tests failed.")
    driver.advance()
    row = next(line for line in files.text(DASHBOARD).splitlines() if line.startswith("| 1/01/01 |"))
    assert "⏸️ Blocked (A2)" in row
    requeue(
        task_id=driver.task("A2").pk,
        reason="They pass now.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    driver.claim("A2")
    driver.advance()
    row = next(line for line in files.text(DASHBOARD).splitlines() if line.startswith("| 1/01/01 |"))
    assert "🔄 Active" in row


def test_bx6_lanes_have_their_name_and_branch(driver: Driver, files: Files) -> None:
    driver.start(LANES.replace(b"domain: payments", b"domain: payments\nrepository: shop"))
    board = files.text(DASHBOARD)
    assert "| 1/01/01 | ledger | `ws/card-refunds/WS-A` in `.worktrees/WS-A` |" in board
    assert "| 1/01/02 | gateway | `ws/card-refunds/02` in `.worktrees/02` |" in board
