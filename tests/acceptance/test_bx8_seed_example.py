"""BX-8: the seed's own Markdown example parses as it stands, and can be approved."""

import os
from pathlib import Path

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.terms import Format, GateKind
from tests.core.plans.plan_examples import DECOMPOSITION, DEPENDENCIES, needs, plan_of, shape

SHARED = Path(os.environ.get("ORCHESTRATOR_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))

SHAPE = [
    "1/01/A/A1=",
    "1/01/A/A2=",
    "1/01/B/B1=",
    "1/01/E/E1=",
    "1/02/A/A3=",
    "1/02/B/B2=",
    "1/MP1/MP1/MP1",
    "1/03/C/C1=",
]
NEEDS = {
    "A1": [],
    "A2": [],
    "B1": [],
    "E1": [],
    "A3": ["A1", "A2"],
    "B2": ["B1"],
    "MP1": ["A3", "B2"],
    "C1": ["MP1"],
}


def seed() -> str:
    found = sorted((SHARED / "seeds").glob("002_*.txt")) if SHARED.is_dir() else []
    if not found:
        pytest.skip(f"the seeds are not beside the checkout: {SHARED} is missing")
    return found[0].read_text(encoding="utf-8")


def written_in(source: str, heading: str) -> str:
    """The Markdown block of the seed that starts with a heading, as it stands."""
    start = source.index(f"```markdown\n{heading}") + len("```markdown\n")
    return source[start : source.index("\n```", start) + 1]


@pytest.mark.parametrize(
    "source",
    [
        DEPENDENCIES,
        DECOMPOSITION + "\n" + DEPENDENCIES,
        f"```markdown\n{DECOMPOSITION}```\n\n```markdown\n{DEPENDENCIES}```\n",
        "\ufeff" + (DECOMPOSITION + DEPENDENCIES).replace("\n", " \t\r\n"),
    ],
    ids=["dependencies-alone", "both", "in-code-blocks", "crlf"],
)
def test_bx8_seed_example_parses_as_it_stands(source: str) -> None:
    plan = plan_of(source)
    assert shape(plan) == SHAPE
    assert needs(plan) == NEEDS


def test_bx8_seed_example_has_no_blocker() -> None:
    reading = read((DECOMPOSITION + "\n" + DEPENDENCIES).encode(), frozenset(), Format.PLAN)
    assert reading.blockers == ()


def test_bx8_merge_point_has_trigger_action_and_unlocks() -> None:
    (gate,) = [step for step in plan_of(DEPENDENCIES).steps() if step.gate]
    assert gate.gate is not None
    assert (gate.key, gate.gate.kind) == ("MP1", GateKind.MERGE)
    assert gate.gate.action == "Integration test auth → gateway flow"
    assert gate.gate.unlocks == ("C1",)


def test_bx8_lanes_own_files_and_worktree() -> None:
    plan = plan_of(DECOMPOSITION + DEPENDENCIES)
    lanes = {p.thread.lane: p.thread for p in plan.placed_steps()}
    assert lanes["A"].name == "Authentication Service"
    assert lanes["A"].files == ("services/auth/*", "tests/auth/*")
    assert lanes["B"].worktree == ".worktrees/WS-B"
    assert "end-to-end flows" in lanes["C"].summary


def test_bx8_undeclared_lane_is_inferred_and_said() -> None:
    reading = read(DECOMPOSITION + DEPENDENCIES, frozenset(), Format.PLAN)
    found = [f for f in reading.findings if f.code == "undeclared-thread"]
    assert [(f.line, "WS-E" in f.message) for f in found] == [(23, True)]


def test_bx8_launches_wait_for_the_merge_point() -> None:
    plan = plan_of(DEPENDENCIES)
    assert preview(plan).launches == (("A1", "B1", "E1", "A2"), ("A3", "B2"), ("MP1",), ("C1",))
    assert preview(plan).launch_order[-2:] == ("MP1", "C1")


def test_bx8_the_blocks_of_the_seed_file_itself() -> None:
    source = seed()
    blocks = [written_in(source, "## Workstream Decomposition"), written_in(source, "## Task Dependencies")]
    plan = plan_of("\n".join(blocks))
    assert shape(plan) == SHAPE
    assert needs(plan) == NEEDS


def test_bx8_the_whole_seed_file_reads_its_example() -> None:
    reading = read(seed(), frozenset(), Format.PLAN)
    assert reading.plan is not None
    assert shape(reading.plan) == SHAPE
    assert "read-from-code-block" in [f.code for f in reading.findings]
    assert reading.blockers == ()
