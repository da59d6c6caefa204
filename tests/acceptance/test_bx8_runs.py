"""BX-8: the seed's own example, and plans that other people wrote, are approved and scheduled to
their end.
"""

import os
import re
from pathlib import Path

import pytest

from tests.cast import Driver

SHARED = Path(os.environ.get("ORCHESTRATOR_SHARED") or Path(__file__).resolve().parents[3] / "shared")
SEED = SHARED / "seeds" / "002_b2c03d2a47a7c4ac.txt"
PLANS = ["workstream-github-integration.PLAN.md", "workstream-session-tracking.PLAN.md"]

DEPENDENCIES = b"""## Task Dependencies

### Batch 1 (Parallel - no dependencies)
- **A1:** Auth service data models
- **A2:** Auth API endpoints
- **B1:** Gateway routing logic
- **E1:** Shared types/interfaces

### Batch 2 (Blocked on Batch 1)
- **A3:** Auth middleware (needs A1, A2)
- **B2:** Rate limiting (needs B1)

### Merge Point MP1
- **Trigger:** A3 + B2 complete
- **Action:** Integration test auth \xe2\x86\x92 gateway flow
- **Unlocks:** C1

### Batch 3 (Blocked on MP1)
- **C1:** End-to-end auth flow (needs MP1)
"""


def assert_runs_like_the_seed(driver: Driver) -> None:
    assert set(driver.ready()) == {"A1", "A2", "B1", "E1"}
    driver.do("A1", "A2", "B1")
    assert_goes_on_like_the_seed(driver)


def assert_goes_on_like_the_seed(driver: Driver) -> None:
    assert driver.ready() == ["E1"], "batch 2 waits for all of batch 1"
    driver.do("E1")
    assert driver.ready() == ["A3", "B2"]
    driver.do("A3", "B2")
    assert driver.ready() == ["MP1"]
    driver.sign("MP1")
    assert driver.ready() == ["C1"]
    driver.do("C1")
    assert driver.reload().finished_at is not None


def test_bx8_the_seeds_dependency_example_is_approved_and_scheduled(driver: Driver) -> None:
    driver.start(DEPENDENCIES)
    assert_runs_like_the_seed(driver)


@pytest.mark.skipif(not SEED.exists(), reason="the seed documents are not beside this checkout")
def test_bx8_the_seeds_own_text_with_its_decomposition(driver: Driver) -> None:
    blocks = re.findall(r"```markdown\n(.*?)```", SEED.read_text(), re.DOTALL)
    driver.start("\n".join(blocks[:2]).encode())
    assert set(driver.ready()) == {"A1", "B1", "E1"}, "A1 and A2 own the same files (BX-5)"
    driver.do("A1")
    assert set(driver.ready()) == {"A2", "B1", "E1"}
    driver.do("A2", "B1")
    assert_goes_on_like_the_seed(driver)
    assert driver.task("A1").step.thread.worktree == ".worktrees/WS-A"


@pytest.mark.parametrize("name", PLANS)
def test_bx8_a_real_plan_runs_to_its_end(driver: Driver, name: str) -> None:
    path = SHARED / "corpus" / "plans" / name
    if not path.exists():
        pytest.skip("the corpus of plans is not beside this checkout")
    workstream = driver.start(path.read_bytes())
    assert workstream.open_tasks in (12, 24)
    assert driver.finish().finished_at is not None
