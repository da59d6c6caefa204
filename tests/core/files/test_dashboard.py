"""The state files as text (BX-6, WF-7, WF-8, BX-7)."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.files.board import BatchBlock, DashboardView, GateBlock, LaneRow, lane_label
from orchestrator.core.files.dashboard import (
    LearningEntry,
    TaskEntry,
    render_dashboard,
    render_index,
    render_learnings,
    render_tasks,
)
from orchestrator.core.files.marks import Mark, StepLine, overall

A1 = StepLine("A1", "Auth models", Mark.DONE)
A2 = StepLine("A2", "Auth endpoints", Mark.ACTIVE, "running on builder-1")
B1 = StepLine("B1", "Gateway routing", Mark.RUNNABLE)
MP1 = StepLine("MP1", "Merge", Mark.BLOCKED, "waits for A2: running on builder-1", "A2")
C1 = StepLine("C1", "End-to-end flow", Mark.BLOCKED, "waits for MP1: not started", "MP1")
VIEW = DashboardView(
    title="Three services",
    updated="2026-11-20T09:00:00.000000Z",
    lanes=(
        LaneRow("A", "Auth Service", "", ".worktrees/WS-A", (A1, A2)),
        LaneRow("B", "API Gateway", "", ".worktrees/WS-B", (B1,)),
        LaneRow("C", "Integration", "", "", (C1,)),
    ),
    batches=(
        BatchBlock("Batch 1", (A1, A2, B1)),
        BatchBlock(
            "Merge", (), (GateBlock("Merge Point MP1", MP1, "Integration test auth → gateway", ("C1",)),)
        ),
        BatchBlock("Batch 2", (C1,)),
    ),
    path=(A1, A2, MP1, C1),
)


def test_bx6_the_dashboard_has_the_format_of_the_seed() -> None:
    assert render_dashboard(VIEW) == (
        "# Execution Dashboard\n"
        "\n"
        "Three services\n"
        "\n"
        "**Updated:** 2026-11-20T09:00:00.000000Z\n"
        "**Tasks:** 1 of 5 complete, gates included\n"
        "\n"
        "## Workstream Status\n"
        "\n"
        "| WS | Name | Branch | Status | Tasks Complete |\n"
        "|----|------|--------|--------|----------------|\n"
        "| A | Auth Service | `.worktrees/WS-A` | 🔄 Active | 1/2 |\n"
        "| B | API Gateway | `.worktrees/WS-B` | ⏳ Runnable | 0/1 |\n"
        "| C | Integration |  | ⏸️ Blocked (MP1) | 0/1 |\n"
        "\n"
        "## Batch Progress\n"
        "\n"
        "```\n"
        "Legend: ✅ Done  🔄 Active  ⏸️ Blocked  ⏳ Runnable\n"
        "\n"
        "Batch 1: 🔄 ACTIVE\n"
        "  A1 ✅  Auth models\n"
        "  A2 🔄  Auth endpoints (running on builder-1)\n"
        "  B1 ⏳  Gateway routing\n"
        "\n"
        "Merge Point MP1: ⏸️ BLOCKED (waits for A2: running on builder-1)\n"
        "  ⏸️ Integration test auth → gateway\n"
        "  → Will unlock: C1\n"
        "\n"
        "Batch 2: ⏸️ BLOCKED (waiting on Batch 1)\n"
        "  C1 ⏸️  End-to-end flow (waits for MP1: not started)\n"
        "```\n"
        "\n"
        "## Critical Path\n"
        "\n"
        "```\n"
        "A1 → A2 → [MP1] → C1\n"
        "```\n"
        "\n"
        "Current bottleneck: **A2** (Auth endpoints: running on builder-1)\n"
    )


def test_stages_are_told_apart_and_a_gate_is_what_a_batch_waits_for() -> None:
    gate = GateBlock("Merge Point MP1", StepLine("MP1", "Merge", Mark.ACTIVE), "")
    view = DashboardView(
        "T",
        "",
        (),
        (
            BatchBlock("Batch 01: a", (A1,), stage="Stage 1: Build"),
            BatchBlock("Batch : Merge point", (), (gate,), stage="Stage 1: Build"),
            BatchBlock("Batch 01: b", (C1,), stage="Stage 2: Join"),
        ),
    )
    text = render_dashboard(view)
    assert text.count("== Stage 1: Build ==") == text.count("== Stage 2: Join ==") == 1
    assert "Batch 01: b: ⏸️ BLOCKED (waiting on Merge Point MP1)" in text
    assert "Batch : " not in text


def test_a_finished_workstream_has_no_bottleneck() -> None:
    done = DashboardView(
        "T", "", (LaneRow("A", "Auth", "", "", (A1,)),), (BatchBlock("Batch 1", (A1,)),), (A1,)
    )
    text = render_dashboard(done)
    assert "Batch 1: ✅ DONE" in text
    assert "✅ Done | 1/1 |" in text
    assert "Current bottleneck: none" in text


@pytest.mark.parametrize(
    ("marks", "mark"),
    [
        ([Mark.DONE, Mark.DONE], Mark.DONE),
        ([Mark.DONE, Mark.BLOCKED], Mark.ACTIVE),
        ([Mark.ACTIVE, Mark.BLOCKED], Mark.ACTIVE),
        ([Mark.RUNNABLE, Mark.BLOCKED], Mark.RUNNABLE),
        ([Mark.BLOCKED], Mark.BLOCKED),
    ],
)
def test_the_mark_of_a_group(marks: list[Mark], mark: Mark) -> None:
    assert overall([StepLine("A1", "A step", one) for one in marks]) is mark


@pytest.mark.parametrize(
    ("place", "label"),
    [
        (("1", "01", "A"), "A"),
        (("2", "03", "A"), "A"),
        (("1", "01", "02"), "1/01/02"),
        (("2", "01", "02"), "2/01/02"),
        (("1", "02", "02"), "1/02/02"),
    ],
)
def test_a_lettered_lane_goes_on_and_numbers_start_anew_in_every_batch(
    place: tuple[str, str, str], label: str
) -> None:
    assert lane_label(*place) == label


def test_text_of_a_plan_stays_in_its_line_cell_and_block() -> None:
    sly = StepLine("A1", "one\ntwo ``` | three", Mark.BLOCKED)
    view = DashboardView(
        "a\nb", "", (LaneRow("A", "x | y\nz", "", "", (sly,)),), (BatchBlock("B\n1", (sly,)),)
    )
    text = render_dashboard(view)
    assert "| A | x \\| y z |" in text
    assert "  A1 ⏸️  one two ''' | three\n" in text
    assert text.count("```") == 4


def test_wf7_registry_and_tasks_are_json_even_when_empty() -> None:
    assert json.loads(render_index([])) == {"version": "1.0.0", "last_updated": "", "streams": []}
    assert json.loads(render_tasks("login", "now", []))["stream_id"] == "login"


ENTRIES = st.builds(
    TaskEntry, breadcrumb=st.text(), attempt=st.integers(min_value=0), needs_human=st.booleans()
)


@given(st.text(), st.lists(ENTRIES, max_size=3))
def test_wf7_tasks_json_is_written_as_the_json_module_writes_it(slug: str, tasks: list[TaskEntry]) -> None:
    """Two spaces a level, no letter escaped that need not be: the same bytes, made faster."""
    whole = {
        "version": "1.0.0",
        "stream_id": slug,
        "last_updated": "now",
        "tasks": [asdict(task) for task in tasks],
    }
    assert render_tasks(slug, "now", tasks) == json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def test_bx7_learnings_stand_under_the_seeds_headings() -> None:
    entry = LearningEntry(
        "Batch 1", "2026-11-20T09:00:00.000000Z", "rita", "Sessions, not JWT.", "", "Say the format."
    )
    text = render_learnings("Login", [entry])
    assert "## After Batch 1\n\nrita, 2026-11-20T09:00:00.000000Z\n" in text
    assert "### What went wrong\n\nSessions, not JWT.\n" in text
    assert "### What needs tightening\n\nSay the format.\n" in text
    assert "What worked" not in text


def test_b8_no_name_can_turn_the_direction_of_the_dashboard() -> None:
    step = StepLine("A1", "Auth \u202e models", Mark.ACTIVE, "running on \u2067x")
    lane = LaneRow("A", "Auth\u202e", "", "", (step,))
    view = DashboardView(
        "Three \u2066services", "now", (lane,), (BatchBlock("Batch \u202d1", (step,)),), (step,)
    )
    text = render_dashboard(view)
    assert not set(text) & set("\u202d\u202e\u2066\u2067")
    assert "⟨U+202E⟩" in text
