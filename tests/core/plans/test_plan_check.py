"""What keeps a plan from approval and what its reviewer must see (AD-1, WF-3, BX-5)."""

import pytest

from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import check_plan
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.findings import FINDINGS, KEPT_PER_CODE
from orchestrator.core.plans.plan import BatchSpec, Need, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.text.source import MAX_BYTES, MAX_LINES, MAX_STEPS
from orchestrator.core.terms import Format, Severity
from tests.core.plans.plan_examples import TOOLS


def found(source: str | bytes, code: str) -> list[Finding]:
    return [finding for finding in read(source, TOOLS, Format.PLAN).findings if finding.code == code]


def lines(source: str | bytes, code: str) -> list[int]:
    return [finding.line for finding in found(source, code)]


GOOD = """\
# Plan: good

### Stage 1: one

##### Batch 01: build (Parallel)

- A1: first
  - Role: contributor
  - Tool: pytest
  - Run: `pytest -q`
  - Exit: green
- B1: second
  - Role: contributor
  - Exit: green

##### Gate REV: Review

- Kind: review
- Reviewers: reviewer
- Trigger: A1 + B1 complete

##### Batch 99: document

###### Thread 01: Handbook

- Role: contributor
- Exit: written
- Needs: REV
"""


def test_good_plan_has_no_findings_but_inferred_lanes() -> None:
    assert {finding.code for finding in read(GOOD, TOOLS, Format.PLAN).findings} == {"undeclared-thread"}


#: What is changed in the good plan -> the code and the lines of the findings this must give.
CHANGES = {
    "duplicate key": ("- B1: second", "- A1: second", "duplicate-key", [12]),
    "unknown dependency": ("- Needs: REV", "- Needs: RVE", "unknown-dependency", [28]),
    "unknown trigger": ("A1 + B1 complete", "A1 + B7 complete", "unknown-dependency", [20]),
    "unknown unlock": ("- Kind: review", "- Kind: review\n- Unlocks: Z9", "unknown-dependency", [16]),
    "cycle": ("- B1: second", "- B1: second (needs C1)\n- C1: third (needs B1)", "dependency-cycle", [12]),
    "itself": ("- B1: second", "- B1: second (needs B1)", "dependency-cycle", [12]),
    "later": ("- B1: second", "- B1: second (needs REV)", "dependency-on-later", [12]),
    "question": ("### Stage 1", "## Questions\n- [ ] Why?\n### Stage 1", "unanswered-question", [4]),
    "same stage twice": ("##### Batch 99", "### Stage 1: again\n##### Batch 99", "duplicate-number", [22]),
    "same batch twice": ("Batch 99: document", "Batch 01: document", "duplicate-number", [22]),
    "stage goes down": ("##### Batch 99", "### Stage 0: less\n##### Batch 99", "number-out-of-order", [22]),
    "batch goes down": ("Batch 99: document", "Batch 00: document", "number-out-of-order", [22]),
    "path up": ("- B1: second", "- B1: second\n  - Files: `../x`", "unsafe-path", [12]),
    "absolute path": ("- B1: second", "- B1: second\n  - Files: `/etc/*`", "unsafe-path", [12]),
    "git folder": ("- Needs: REV", "- Worktree: `.GIT/x`", "unsafe-path", [24]),
    "long criterion": ("- Exit: written", f"- Exit: {'x' * 501}", "too-long", [24]),
    "branch": ("# Plan: good", "---\nbase_branch: --upload-pack=x\n---", "unusable-name", [0]),
    "no exit": ("- Exit: written\n", "", "no-exit-criteria", [24]),
    "no role": ("- Role: contributor\n- Exit", "- Exit", "no-role", [24]),
    "strange role": ("- Role: contributor\n- Exit", "- Role: king\n- Exit", "unknown-role", [24]),
    "no reviewer": ("- Reviewers: reviewer\n", "", "gate-without-reviewer", [16]),
    "strange tool": ("- Tool: pytest", "- Tool: rm", "unknown-tool", [7]),
    "no tool": ("  - Tool: pytest\n", "", "run-without-tool", [7]),
    "no documentation": ("Batch 99: document", "Batch 98: stop", "no-documentation", [0]),
    "empty stage": ("### Stage 1", "### Stage 0: nothing\n### Stage 1", "empty-stage", [3]),
    "empty batch": ("##### Gate", "##### Batch 02: nothing\n##### Gate", "empty-batch", [16]),
    "hidden": ("second", "sec\u200bond", "hidden-characters", [12]),
    "turned": ("second", "sec\u202eond", "deceiving-characters", [12]),
    "hidden key": ("- B1: second", "- B\u200b1: second", "hidden-in-name", [12]),
    "untitled": ("- B1: second", "- B1:", "untitled-step", [12]),
    "plain question": ("### Stage 1", "## Questions\n- Why?\n### Stage 1", "question-without-box", [4]),
}


@pytest.mark.parametrize(("old", "new", "code", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_each_fault_has_its_code_and_line(old: str, new: str, code: str, expected: list[int]) -> None:
    assert old in GOOD
    assert lines(GOOD, code) == []
    assert lines(GOOD.replace(old, new), code) == expected


def test_duplicate_key_names_both_lines() -> None:
    (finding,) = found(GOOD.replace("- B1: second", "- A1: second"), "duplicate-key")
    assert "line 7" in finding.message
    assert "line 12" in finding.message


@pytest.mark.parametrize(("written", "meant"), [("RVE", "REV"), ("rev", "REV"), ("a1", "A1")])
def test_unknown_dependency_suggests_the_nearest_key(written: str, meant: str) -> None:
    (finding,) = found(GOOD.replace("- Needs: REV", f"- Needs: {written}"), "unknown-dependency")
    assert finding.fix.startswith(f"Did you mean {meant}?")


def test_cycle_names_its_path() -> None:
    source = "### Batch 1\n- A1: x (needs C1)\n- B1: y (needs A1)\n- C1: z (needs B1)\n"
    (finding,) = found(source, "dependency-cycle")
    assert "A1 → B1 → C1 → A1" in finding.message
    assert finding.line == 2


def test_every_circle_is_named() -> None:
    source = "### Batch 1\n- A1: x (needs B1)\n- B1: y (needs A1)\n- C1: z (needs D1)\n- D1: z (needs C1)\n"
    assert lines(source, "dependency-cycle") == [2, 4]


def test_what_stands_behind_a_stuck_step_is_unreachable() -> None:
    source = "### Batch 1\n- A1: x (needs Z1)\n- B1: y (needs A1)\n- C1: z\n### Batch 2\n- D1: w\n"
    (finding,) = found(source, "unreachable")
    assert finding.message.endswith("B1, D1.")


class TestOverlaps:
    @staticmethod
    def batch(a: str, b: str, more: str = "") -> str:
        return f"### Batch 1 (Parallel)\n- A1: x\n  - Files: {a}\n- B1: y\n  - Files: {b}\n{more}"

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ("`src/a/*`", "`src/a/*`", [4]),
            ("`src/**`", "`src/b/c.py`", [4]),
            ("`**/x.py`", "`src/*`", [4]),
            ("`src/a*`", "`src/*b`", [4]),
            ("`src/a/*`", "`src/b/*`", []),
            ("`src/a`", "`src/ab`", []),
        ],
    )
    def test_between_lanes(self, a: str, b: str, expected: list[int]) -> None:
        assert lines(self.batch(a, b), "overlapping-files") == expected
        assert lines(self.batch(b, a), "overlapping-files") == expected

    def test_message_names_lanes_batch_and_pattern(self) -> None:
        (finding,) = found(self.batch("`src/**`", "`src/b`"), "overlapping-files")
        assert finding.message.startswith(
            "Step A1 (line 2) and Step B1 (line 4) run side by side in batch 01"
        )
        assert "src/b" in finding.message

    def test_wide_pattern_meets_every_narrow_one(self) -> None:
        source = self.batch("`src/**`", "`src/a/x`", "- C1: z\n  - Files: `src/b/y`\n")
        assert lines(source, "overlapping-files") == [4, 6]

    def test_declared_lanes(self) -> None:
        source = (
            "## Workstream Decomposition\n**WS-A: a**\n- Files: `src/**`\n**WS-B: b**\n- Files: `src/b/*`\n"
            "## Task Dependencies\n### Batch 1\n- A1: x\n- B1: y\n### Batch 2\n- A2: z\n"
        )
        assert lines(source, "overlapping-files") == [9]

    def test_parallel_steps_of_one_lane(self) -> None:
        source = "### Batch 1 (Parallel)\n- A1: x\n  - Files: `f`\n- A2: y\n  - Files: `f`\n"
        assert lines(source, "overlapping-files") == [4]
        assert lines(source.replace("Parallel", "Sequential"), "overlapping-files") == []

    def test_other_batch_is_no_overlap(self) -> None:
        source = "### Batch 1\n- A1: x\n  - Files: `f`\n### Batch 2\n- B1: y\n  - Files: `f`\n"
        assert lines(source, "overlapping-files") == []

    def test_pair_is_told_once(self) -> None:
        assert lines(self.batch("`a`, `b`, `c`", "`a`, `b`, `c`"), "overlapping-files") == [4]


class TestBadSources:
    @pytest.mark.parametrize(
        ("source", "code"),
        [
            (b"", "source-empty"),
            ("", "source-empty"),
            (b" \r\n\t ", "source-empty"),
            (b"\xef\xbb\xbf", "source-empty"),
            (b"# Plan\n\x00", "source-not-text"),
            (b"\x89PNG\r\n\x1a\n", "source-not-text"),
            ("### Batch 1\n- A1: caf\u00e9".encode("latin-1"), "source-not-text"),
            ("a\ud800", "source-not-text"),
            (b"x" * (5 * 1024 * 1024), "source-too-large"),
            ("ä" * (5 * 1024 * 1024), "source-too-large"),
            (b"\n" * (MAX_LINES + 1) + b"x", "source-too-large"),
            (b"just some words", "no-step"),
            (b"# Plan: only a name", "no-step"),
        ],
    )
    def test_is_refused_with_a_finding(self, source: bytes | str, code: str) -> None:
        reading = read(source, TOOLS, Format.PLAN)
        assert reading.plan is None
        assert code in [finding.code for finding in reading.blockers]

    def test_names_the_line_that_is_not_text(self) -> None:
        assert lines(b"one\ntwo\n\xff", "source-not-text") == [3]

    def test_no_headings(self) -> None:
        assert lines("- A1: x\n", "no-headings") == [1]

    def test_limit_counts_bytes(self) -> None:
        assert lines("ä" * (MAX_BYTES // 2 + 1), "source-too-large") == [0]

    def test_too_many_steps(self) -> None:
        source = "### Batch 1\n" + "\n".join(f"- A{n}: x" for n in range(MAX_STEPS + 1))
        reading = read(source, TOOLS, Format.PLAN)
        assert reading.plan is None
        assert [finding.code for finding in reading.blockers] == ["too-many-steps"]


def test_findings_come_blocking_first_then_by_line() -> None:
    findings = read(GOOD.replace("(Parallel)", "").replace("REV\n", "NO1\n"), TOOLS, Format.PLAN).findings
    ranks = [(list(Severity).index(finding.severity), finding.line) for finding in findings]
    assert ranks == sorted(ranks)
    assert findings[0].blocks


def test_very_many_findings_are_counted() -> None:
    source = "### Batch 1\n" + "\n".join(f"- A{n}: x (needs Z{n})" for n in range(KEPT_PER_CODE + 23))
    assert len(lines(source, "unknown-dependency")) == KEPT_PER_CODE
    (more,) = found(source, "more-findings")
    assert "23 more findings" in more.message


def test_very_many_findings_of_the_reader_are_counted_once() -> None:
    source = "### Batch 1 (Parallel)\n" + "\n".join(f"- [x] A{n}: x" for n in range(KEPT_PER_CODE + 7))
    assert lines(source, "work-in-progress") == list(range(2, KEPT_PER_CODE + 2))
    assert ["7 more" in finding.message for finding in found(source, "more-findings")] == [True]


def test_plan_value_is_checked_whichever_reader_made_it() -> None:
    step = StepSpec("a b", "x", needs=(Need("nowhere"),))
    plan = Plan(
        "p",
        (StageSpec(1, "s", batches=(BatchSpec("01", "b", threads=(ThreadSpec("1", "t", steps=(step,)),)),)),),
    )
    assert {"unusable-name", "unknown-dependency"} <= {finding.code for finding in check_plan(plan, TOOLS)}
    assert [finding.code for finding in check_plan(Plan("p"), TOOLS)] == ["no-step"]


def test_every_code_is_documented_and_has_its_severity() -> None:
    sources = [GOOD.replace(old, new) for old, new, _, _ in CHANGES.values()]
    seen = [finding for source in sources for finding in read(source, TOOLS, Format.PLAN).findings]
    for finding in seen:
        severity, meaning = FINDINGS[finding.code]
        assert finding.severity is severity
        assert meaning.endswith(".")
        assert finding.message.endswith((".", "?", "…", "x")) or finding.code == "unanswered-question"
        assert finding.fix
