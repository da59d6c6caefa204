"""Whatever the source holds, reading ends soon and never raises (B19 to B22, B32 to B35)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.findings import FINDINGS
from orchestrator.core.plans.graph import compile_graph, critical_path
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.terms import Format
from tests.core.plans.hostile_plans import HOSTILE
from tests.core.plans.order_oracle import launch_groups


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_two_hostile_megabytes_are_read(source: str) -> None:
    reading = read(source, frozenset(), Format.PLAN)
    assert all(finding.code in FINDINGS for finding in reading.findings)


WORDS = st.sampled_from(
    [
        *(
            "# Plan: p",
            "### Stage 1: s",
            "### stage-2-fix-x",
            "#### Stage Questions",
            "#### Batches",
            "#### Other",
        ),
        *(
            "##### Batch 01: b",
            "### Batch 2 (Sequential)",
            "##### 99-document",
            "###### Thread 01: t",
            "###### Thread:",
        ),
        *(
            "##### Gate: g",
            "##### Gate K1: g",
            "### Merge Point MP1",
            "### Merge Point",
            "## Task Dependencies",
        ),
        *(
            "## Workstream Decomposition",
            "**WS-A: a**",
            "- **A1:** x (needs B1)",
            "- B1: y (needs A1, Batch 1)",
            "- A2:",
        ),
        *(
            "- [x] Task 01.01.01.01: z",
            "- free-key: x (parallel)",
            "**Tasks:**",
            "**Details:**",
            "**Summary:** s",
            "- x",
        ),
        *(
            "  - Files: `a/**`, ../x",
            "  - Needs: 01.01.01, MP1",
            "  - Exit:",
            "    - nested",
            "  - Estimate: 99d",
            "  text",
        ),
        *(
            "- Trigger: A1 + B1 complete",
            "- Unlocks: A2",
            "- Reviewers:",
            "Kind: fix",
            "- [ ] open?",
            "---",
            "```",
            "<!--",
        ),
        *("```markdown", "-->", "a: [b", "", "\t- Role: x", "\u202e", "1. A9: n", "parameters:", "  a: b"),
    ]
)


@given(st.lists(WORDS, max_size=40).map("\n".join))
@settings(max_examples=400, deadline=None)
def test_any_arrangement_of_plan_lines_is_read(source: str) -> None:
    reading = read(source, frozenset(), Format.PLAN)
    ends = source.count("\n") + 1
    assert all(0 <= finding.line <= ends for finding in reading.findings)
    if reading.plan is None:
        assert reading.blockers
        return
    keys = [step.key for step in reading.plan.steps()]
    graph = compile_graph(reading.plan)
    assert set(graph.keys) == set(keys)
    assert all(1 <= step.line <= ends for step in reading.plan.steps())
    if not reading.blockers:
        started = [key for group in launch_groups(reading.plan) for key in group]
        assert sorted(started) == sorted(keys)
        path = critical_path(reading.plan)
        assert all(a in {edge.key for edge in graph.predecessors(b)} for a, b in pairwise(path))
        assert sorted(preview(reading.plan).launch_order) == sorted(keys), (
            "the scheduler brings every plan to its end"
        )
        owned = [*(s.files + s.resources for s in reading.plan.steps()), *_lane_files(reading.plan)]
        if not any(owned):
            assert preview(reading.plan).launches == launch_groups(reading.plan), (
                "nothing but the graph decides the order"
            )


def _lane_files(plan: Plan) -> list[tuple[str, ...]]:
    return [placed.thread.files for placed in plan.placed_steps()]


@given(st.text())
@settings(deadline=None)
def test_any_text_is_read(source: str) -> None:
    assert read_plan(source) == read_plan(source)
    read(source, frozenset(), Format.PLAN)


@given(st.binary())
def test_any_bytes_are_read(source: bytes) -> None:
    read(source, frozenset(), Format.PLAN)


@given(st.lists(WORDS, max_size=20), st.sampled_from(["\r\n", "\r"]), st.sampled_from(["", " ", "\t "]))
@settings(deadline=None)
def test_line_ends_and_trailing_space_change_nothing(words: list[str], end: str, space: str) -> None:
    plain = read_plan("\n".join(words))
    assert read_plan("\ufeff" + (space + end).join(words)) == plain
