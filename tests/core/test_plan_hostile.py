"""Whatever the source holds, reading ends soon and never raises (B19 to B22, B32 to B35)."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.graph import compile_graph, critical_path, waves
from orchestrator.core.plan import Reading
from orchestrator.core.plan_check import review_source
from orchestrator.core.plan_findings import FINDINGS
from orchestrator.core.plan_markdown import read_plan
from orchestrator.core.plan_source import MAX_BYTES

BATCH = "### Batch 1\n"


def filled(text: str, lines: int = 75_000) -> str:
    """A text repeated until the source is as large as it may be."""
    return text * min(MAX_BYTES // len(text), lines // max(text.count("\n"), 1))


def numbered(template: str, count: int) -> str:
    return "\n".join(template.format(n=n, m=n + 1) for n in range(count))[:MAX_BYTES]


def timed(source: str) -> tuple[float, Reading]:
    start = time.process_time()
    reading = review_source(source, frozenset())
    return time.process_time() - start, reading


HOSTILE = {
    "blank lines": "\n" * 75_000 + "x" * 1_800_000,
    "hashes": "#" * MAX_BYTES,
    "headings": filled("# a\n"),
    "threads": numbered("###### Thread {n}: x", 70_000),
    "stages": filled("### Stage 1: x\n"),
    "stages without numbers": filled("### Stage: x\n"),
    "batches without numbers": filled("### Batch: x\n"),
    "batches outside stages": filled("### Stage 1\n## x\n### Batch 1\n"),
    "threads outside batches": filled("###### Thread: x\n## x\n"),
    "batches of one gate": filled("### Batch 1\n##### Gate: x\n"),
    "gates": "- A1: x\n" + filled("### Merge Point MP1\n- Unlocks: A1\n")[:-20],
    "bullets": filled("- "),
    "one long key": BATCH + "- " + "a-" * 1_000_000,
    "brackets": BATCH + "- A1: " + "(" * 2_000_000 + ")",
    "suffixes": BATCH + "- A1: " + "(parallel)" * 200_000,
    "needs of one step": BATCH + "- A1: x (needs " + "A1," * 600_000 + ")",
    "chain": BATCH + numbered("- A{m}: x (needs A{n})", 9_999),
    "loose chain": numbered("- A{m}: x (needs A{n})", 9_999),
    "circle": BATCH + numbered("- A{n}: x (needs A{m})", 9_998) + "\n- A9998: x (needs A0)",
    "unknown names": BATCH + numbered("- A{n}: x (needs B{n})", 9_999),
    "too many steps": BATCH + numbered("- A{n}: x (needs A{m})", 70_000),
    "one property": BATCH + "- A1: x\n" + filled("  - Exit: x\n")[:-100],
    "continuation": BATCH + "- A1: x\n  - Run: x\n" + filled("    y\n")[:-100],
    "file patterns": BATCH + "- A1: x\n  - Files: " + "a/*b," * 180_000 + "\n- B1: x\n  - Files: " + "a/*c," * 180_000,
    "stars": BATCH + "- A1: x\n  - Files: " + "*a" * 400 + "\n- B1: x\n  - Files: " + "*b" * 400,
    "lanes": "## Workstream Decomposition\n" + numbered("**WS-L{n}: x**", 70_000),
    "fences": filled("```\n"),
    "backticks": "`" * MAX_BYTES,
    "comments": filled("<!-- x\n"),
    "labels": "###### Thread 01: x\n" + filled("**Details:** x\n")[:-100],
    "front matter": "---\n" + filled("a: b\n")[:-100] + "\n---\n",
    "digits": "### Stage " + "1" * 2_000_000,
    "names of threads": "##### Batch 01: x\n###### Thread 01: a\n**Tasks:**\n"
    + numbered("- k-{n}: x (parallel)", 4_000)
    + "\n###### Thread 02: b\n**Tasks:**\n"
    + numbered("- l-{n}: x (needs 01.01.01)", 4_000),
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_two_megabytes_take_less_than_two_seconds(source: str) -> None:
    seconds, reading = timed(source)
    if seconds >= 2:  # once more: the machine may be busy, but a bad algorithm stays slow
        seconds, reading = timed(source)
    assert seconds < 2
    assert all(finding.code in FINDINGS for finding in reading.findings)


WORDS = st.sampled_from(
    [
        *("# Plan: p", "### Stage 1: s", "### stage-2-fix-x", "#### Stage Questions", "#### Batches", "#### Other"),
        *(
            "##### Batch 01: b",
            "### Batch 2 (Sequential)",
            "##### 99-document",
            "###### Thread 01: t",
            "###### Thread:",
        ),
        *("##### Gate: g", "##### Gate K1: g", "### Merge Point MP1", "### Merge Point", "## Task Dependencies"),
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
    reading = review_source(source, frozenset())
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
        started = [key for wave in waves(reading.plan) for key in wave]
        assert sorted(started) == sorted(keys)
        path = critical_path(reading.plan)
        assert all(a in {edge.key for edge in graph.predecessors(b)} for a, b in pairwise(path))
        assert len(waves(reading.plan)) >= 1


@given(st.text())
@settings(deadline=None)
def test_any_text_is_read(source: str) -> None:
    assert read_plan(source) == read_plan(source)
    review_source(source, frozenset())


@given(st.binary())
def test_any_bytes_are_read(source: bytes) -> None:
    review_source(source, frozenset())


@given(st.lists(WORDS, max_size=20), st.sampled_from(["\r\n", "\r"]), st.sampled_from(["", " ", "\t "]))
@settings(deadline=None)
def test_line_ends_and_trailing_space_change_nothing(words: list[str], end: str, space: str) -> None:
    plain = read_plan("\n".join(words))
    assert read_plan("\ufeff" + (space + end).join(words)) == plain
