"""The native PLAN.md grammar, construct by construct (WF-1, WF-2, BX-1 to BX-3)."""

import os
from pathlib import Path

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Need, StepSpec
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.terms import Format, GateKind, Severity, StageKind
from tests.core.plans.plan_examples import TOOLS, codes, needs, plan_of, shape

PLANS = Path(__file__).parent / "texts"
SHARED = Path(os.environ.get("ORCHESTRATOR_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))


def step_of(source: str, key: str) -> StepSpec:
    return next(step for step in plan_of(source).steps() if step.key == key)


def in_batch(lines: str) -> str:
    return f"# Plan: p\n### Batch 1 (Parallel)\n{lines}"


class TestSeed000:
    SOURCE = """\
# Plan: Implement Authentication

> **Stream ID:** 001

## Summary

People can sign in.

## Stages

### Stage 01: Core

#### Stage Definition

Types compile.

#### Stage Constitution

**Inputs:** nothing

#### Stage Questions

- [x] Which store? SQLite
- [ ] Which port?

#### Stage Batches

##### Batch 00: setup

Foundation.

###### Thread 01: Types

**Summary:**
Write the types.

**Details:**
Create `types.py` with:
- A1: not a step
- Files: not a property

```python
### Stage 9: not a heading
```

###### Thread 02: Config

##### Batch 99: document

###### Thread 1: Handbook

---

*Last updated: 2026-01-21*

### Stage 02: More
#### Questions
#### Batches
##### Batch 01: x
###### Thread 01: y
"""

    def test_structure_and_keys(self) -> None:
        assert shape(plan_of(self.SOURCE)) == [
            "1/00/01/01.00.01",
            "1/00/02/01.00.02",
            "1/99/01/01.99.01",
            "2/01/01/02.01.01",
        ]

    def test_thread_without_tasks_is_one_step(self) -> None:
        step = step_of(self.SOURCE, "01.00.01")
        assert step.title == "Types"
        assert step.details.startswith("Write the types.\n\nCreate `types.py` with:\n- A1: not a step")
        assert "### Stage 9: not a heading" in step.details
        assert step.files == ()

    def test_plan_text(self) -> None:
        plan = plan_of(self.SOURCE)
        assert (plan.name, plan.slug, plan.summary) == (
            "Implement Authentication",
            "implement-authentication",
            "People can sign in.",
        )
        assert plan.stages[0].definition.startswith("Types compile.")
        assert "**Inputs:** nothing" in plan.stages[0].definition
        assert plan.stages[0].batches[0].summary == "Foundation."
        assert plan.stages[0].batches[0].slug == "00-setup"

    def test_questions_with_their_lines(self) -> None:
        asked = [(q.text, q.line, q.answered) for q in plan_of(self.SOURCE).questions]
        assert asked == [("Which store? SQLite", 23, True), ("Which port?", 24, False)]

    def test_closing_rule_and_date_are_no_details(self) -> None:
        assert step_of(self.SOURCE, "01.99.01").details == ""

    def test_line_numbers(self) -> None:
        plan = plan_of(self.SOURCE)
        assert [stage.line for stage in plan.stages] == [11, 56]
        assert step_of(self.SOURCE, "01.00.02").line == 46

    @pytest.mark.parametrize(
        ("heading", "slug", "kind"),
        [
            ("### stage-3-fix-auth-race", "stage-3-fix-auth-race", StageKind.FIX),
            ("### Stage 3: Fix auth race", "stage-3-fix-auth-race", StageKind.FIX),
            ("### Stage 3: Fixtures", "stage-3-fixtures", StageKind.NORMAL),
            ("### Stage 3: Documentation", "stage-3-documentation", StageKind.DOCUMENTATION),
            ("### Stage 3: Build\nKind: fix", "stage-3-build", StageKind.FIX),
            ("### Stage 3: Fix it\n- **Kind:** normal", "stage-3-fix-it", StageKind.NORMAL),
            ("## Wave 3 - Build", "stage-3-build", StageKind.NORMAL),
        ],
    )
    def test_stage_names_and_kinds(self, heading: str, slug: str, kind: StageKind) -> None:
        (stage,) = plan_of(f"{heading}\n##### Batch 01: a\n###### Thread 01: b\n").stages
        assert (stage.slug, stage.kind) == (slug, kind)

    @pytest.mark.parametrize(
        "heading", ["##### 99-document", "##### Batch 99: document", "## **Batch 99: document**"]
    )
    def test_documentation_batch(self, heading: str) -> None:
        (batch,) = plan_of(f"### Stage 1: x\n{heading}\n###### Thread 01: b\n").stages[0].batches
        assert (batch.prefix, batch.name, batch.slug) == ("99", "document", "99-document")


class TestSteps:
    @pytest.mark.parametrize(
        ("bullet", "key", "title", "wanted"),
        [
            ("- A1: plain", "A1", "plain", []),
            ("- **A1:** bold", "A1", "bold", []),
            ("* **A1**: bold too", "A1", "bold too", []),
            ("- [ ] A1: box", "A1", "box", []),
            ("- [ ] Task 01.01.02.03: number", "01.01.02.03", "number", []),
            ("1. A1: numbered", "A1", "numbered", []),
            ("- **auth-models:** free key", "auth-models", "free key", []),
            ("- A1: title (with words) (needs A0)", "A1", "title (with words)", ["A0"]),
            ("- A1: x (needs A0, B0 and C0)", "A1", "x", ["A0", "B0", "C0"]),
            ("- A1: x (depends on A0)", "A1", "x", ["A0"]),
            ("- A1: größer → `code`", "A1", "größer → `code`", []),
        ],
    )
    def test_bullets_that_define_a_step(self, bullet: str, key: str, title: str, wanted: list[str]) -> None:
        step = next(iter(plan_of(in_batch(bullet)).steps()))
        assert (step.key, step.title, [n.key for n in step.needs]) == (key, title, wanted)

    @pytest.mark.parametrize(
        "bullet", ["- Note: text", "- **Note:** text", "- see: A1", "- http://x", "text"]
    )
    def test_bullets_that_do_not(self, bullet: str) -> None:
        assert read_plan(in_batch(bullet)).plan is None

    @pytest.mark.parametrize("bullets", ["- [ ] do it\n- A1: x\n", "- A1: x\n- do it\n"])
    def test_bullets_beside_steps_are_steps_and_get_a_key(self, bullets: str) -> None:
        reading = read_plan(in_batch(bullets))
        assert reading.plan
        assert sorted(step.title for step in reading.plan.steps()) == ["do it", "x"]
        assert "inferred-key" in codes(reading)

    def test_a_batch_of_plain_bullets_is_its_steps(self) -> None:
        plan = plan_of(in_batch("Words.\n- do it\n- do that\n"))
        assert [step.title for step in plan.steps()] == ["do it", "do that"]
        assert "Words." in plan.stages[0].batches[0].summary

    def test_every_property(self) -> None:
        step = step_of(
            in_batch(
                "- A1: x\n"
                "  - role: Contributor\n\t- TOOL: `pytest`\n  - Run: `pytest -q tests/auth`\n"
                "  - Files: `services/auth/**`, `a{b,c}`\n  - Resources: staging-db, port-80\n  "
                "- **Parallel:** no\n"
                "  - Entry: up\n  - Exit: tests pass\n  - Exit: docs written\n    over two lines\n"
                "  - Done when: sold\n  - When: region == eu\n  - Estimate: 1h 30m\n  - Needs: B1, `C1`\n"
                "  - anything else\n"
            ),
            "A1",
        )
        assert (step.role, step.tool, step.run) == ("contributor", "pytest", "pytest -q tests/auth")
        assert (step.files, step.resources) == (("services/auth/**", "a{b,c}"), ("staging-db", "port-80"))
        assert (step.entry, step.exit) == (("up",), ("tests pass", "docs written over two lines"))
        assert (step.done_when, step.when, step.estimate) == (("sold",), "region == eu", 90)
        assert step.parallel is False
        assert step.needs == (Need("B1", 17), Need("C1", 17))
        assert step.details == "- anything else"

    def test_nested_values(self) -> None:
        step = step_of(
            in_batch("- A1: x\n  - Exit:\n    - one\n    - two\n  - Files:\n    - a/*\n    - b/*\n"), "A1"
        )
        assert (step.exit, step.files) == (("one", "two"), ("a/*", "b/*"))

    def test_nested_value_may_look_like_a_property(self) -> None:
        step = step_of(in_batch("- A1: x\n  - Exit:\n    - Tool: says ok\n  - Tool: pytest\n"), "A1")
        assert (step.exit, step.tool) == (("Tool: says ok",), "pytest")

    @pytest.mark.parametrize(
        ("text", "minutes"),
        [("45", 45), ("2h", 120), ("1.5 hours", 90), ("1d", 480), ("1h 30m", 90), ("2h30m", 150)],
    )
    def test_estimates(self, text: str, minutes: int) -> None:
        assert step_of(in_batch(f"- A1: x\n  - Estimate: {text}\n"), "A1").estimate == minutes

    @pytest.mark.parametrize("line", ["Estimate: soon", "Estimate: 2 moons", "Parallel: perhaps"])
    def test_unreadable_values_are_reported_with_their_line(self, line: str) -> None:
        found = [
            f for f in read_plan(in_batch(f"- A1: x\n  - {line}\n")).findings if f.code == "unreadable-value"
        ]
        assert [f.line for f in found] == [4]

    def test_property_without_effect_is_kept_as_details(self) -> None:
        reading = read_plan(in_batch("- A1: x\n  - Reviewers: asa\n"))
        assert [f.line for f in reading.findings if f.code == "misplaced-property"] == [4]
        assert reading.plan is not None
        assert "Reviewers: asa" in next(reading.plan.steps()).details

    def test_ticked_step_starts_as_open(self) -> None:
        assert "work-in-progress" in codes(read_plan(in_batch("- [x] A1: done?\n")))


class TestBatchOfLanes:
    def test_parallel_is_said(self) -> None:
        step = step_of("### Batch 1 (Parallel)\n- A1: x\n- A2: y\n", "A1")
        assert (step.parallel, step.inferred) == (True, ())

    def test_parallel_is_inferred_and_marked(self) -> None:
        reading = read_plan("### Batch 1\n- A1: x\n- A2: y\n")
        assert reading.plan is not None
        assert [s.inferred for s in reading.plan.steps()] == [("parallel",), ("parallel",)]
        assert [f.severity for f in reading.findings if f.code == "inferred-parallel"] == [Severity.INFO]

    def test_sequential_batch_runs_in_the_order_written(self) -> None:
        plan = plan_of("### Batch 1 (Sequential)\n- A1: x\n- B1: y\n- A2: z\n")
        assert shape(plan) == ["1/01/A/A1", "1/01/A/A2", "1/01/B/B1"]
        assert needs(plan) == {"A1": [], "A2": ["B1?"], "B1": ["A1?"]}

    def test_own_word_beats_the_heading(self) -> None:
        assert shape(plan_of("### Batch 1 (Parallel)\n- A1: x\n  - Parallel: no\n")) == ["1/01/A/A1"]

    def test_blocked_on_unknown_merge_point_blocks(self) -> None:
        reading = read_plan("### Batch 1\n- A1: x\n### Batch 2 (Blocked on MP9)\n- A2: y\n")
        assert [(f.line, f.blocks) for f in reading.findings if f.code == "unknown-dependency"] == [(3, True)]

    def test_name_of_batch_and_stage_hold_anyway(self) -> None:
        assert needs(plan_of("### Batch 1\n- A1: x\n### Batch 2\n- A2: y (needs Batch 1)\n"))["A2"] == []
        assert needs(plan_of("### Batch 1\n- A1: x (needs Batch 2)\n### Batch 2\n- A2: y\n"))["A1"] == [
            "Batch 2"
        ]

    def test_unused_lane_is_reported(self) -> None:
        source = "## Workstream Decomposition\n**WS-Z: nobody**\n## Task Dependencies\n### Batch 1\n- A1: x\n"
        assert [f.line for f in read_plan(source).findings if f.code == "unused-thread"] == [2]


class TestThreads:
    SOURCE = """\
### Stage 1: s
##### Batch 01: b
###### Thread 01: Listed
- Role: contributor
- Files: `a/**`
- Worktree: `.worktrees/one`

**Details:**
- B7: prose

**Tasks:**
- A1: first
- [ ] Task 01.01.01.02: second (parallel)
- third
  - Exit: it works
###### Thread 02: Whole
- Tool: pytest
- Exit: green
- Needs: A1
###### Thread: Nameless number
- A9: a step at once
"""

    def test_steps(self) -> None:
        assert shape(plan_of(self.SOURCE)) == [
            "1/01/01/A1",
            "1/01/01/01.01.01.02=",
            "1/01/01/01.01.01.03",
            "1/01/02/01.01.02",
            "1/01/03/A9",
        ]

    def test_lane_of_a_thread(self) -> None:
        thread = plan_of(self.SOURCE).stages[0].batches[0].threads[0]
        assert (thread.role, thread.files, thread.worktree) == ("contributor", ("a/**",), ".worktrees/one")
        assert thread.summary == "- B7: prose"

    def test_whole_thread_takes_the_properties_as_its_step(self) -> None:
        step = step_of(self.SOURCE, "01.01.02")
        assert (step.tool, step.exit, [n.key for n in step.needs]) == ("pytest", ("green",), ["A1"])

    def test_unkeyed_task_gets_a_number_and_says_so(self) -> None:
        assert step_of(self.SOURCE, "01.01.01.03").inferred == ("key",)
        assert step_of(self.SOURCE, "01.01.01.03").exit == ("it works",)
        found = codes(read_plan(self.SOURCE))
        assert {"inferred-key", "inferred-thread", "step-in-details"} <= set(found)

    def test_name_of_a_thread_stands_for_its_last_steps(self) -> None:
        source = (
            "##### Batch 01: b\n###### Thread 01: t\n**Tasks:**\n- a1: x\n- a2: y (parallel)\n- "
            "a3: z (parallel)\n"
        )
        wanted = needs(plan_of(source + "###### Thread 02: u\n- Needs: 01.01.01\n"))["01.01.02"]
        assert wanted == ["a2?", "a3?"]


class TestGates:
    def test_gate_stands_in_a_batch_of_its_own(self) -> None:
        source = "### Stage 1: s\n##### Batch 01: b\n###### Thread 01: t\n##### Gate: Stage 1 evaluation\n"
        plan = plan_of(source)
        gate = list(plan.steps())[-1]
        assert shape(plan) == [
            "1/01/01/01.01.01",
            "1/G-stage-1-evaluation/G-stage-1-evaluation/G-stage-1-evaluation",
        ]
        assert gate.gate is not None
        assert gate.gate.kind is GateKind.EVALUATION
        assert needs(plan)["G-stage-1-evaluation"] == ["01.01.01?"]
        assert gate.inferred == ("key", "needs")

    def test_everything_a_gate_can_say(self) -> None:
        gate = step_of(
            "### Batch 1\n- A1: x\n- B1: y\n##### Gate REL: Ship it\n- Kind: Release\n- "
            "Reviewers: reviewer, `asa`\n"
            "- Trigger: A1 + B1 complete, all tests green\n- Action: deploy\n- Action: look\n- Unlocks: C1\n"
            "- Role: approver\n- Exit: it runs\n- Approvals: 2\n"
            "### Batch 2\n- C1: z\n",
            "REL",
        )
        assert gate.gate is not None
        assert (gate.gate.kind, gate.gate.reviewers, gate.gate.action) == (
            GateKind.RELEASE,
            ("reviewer", "asa"),
            "deploy\nlook",
        )
        assert [n.key for n in gate.needs] == ["A1", "B1"]
        assert gate.entry == ("A1 + B1 complete, all tests green",)
        assert (gate.role, gate.exit, gate.gate.signatures) == ("approver", ("it runs",), 2)

    @pytest.mark.parametrize(
        ("trigger", "keys"),
        [
            ("A1 + B1 complete", ["A1", "B1"]),
            ("When tasks A1 and B1 are done.", ["A1", "B1"]),
            ("`A1`, **B1**", ["A1", "B1"]),
            ("B1 approved", ["B1"]),
            ("B1 + Z9 complete", ["B1", "Z9"]),
            ("everybody is happy", ["A1?", "B1?"]),
            ("Batch 1 complete", ["A1?", "B1?"]),
        ],
    )
    def test_triggers(self, trigger: str, keys: list[str]) -> None:
        source = f"### Batch 1\n- A1: x\n- B1: y\n### Merge Point MP1\n- Trigger: {trigger}\n"
        assert needs(plan_of(source))["MP1"] == keys

    def test_unlocks_adds_the_missing_dependency(self) -> None:
        source = (
            "### Batch 1\n- A1: x\n### Merge Point MP1\n**Trigger:** A1\n**Unlocks:** C1\n### "
            "Batch 2\n- C1: z\n"
        )
        assert needs(plan_of(source)) == {"A1": [], "MP1": ["A1"], "C1": ["MP1?"]}
        found = [f for f in read_plan(source).findings if f.code == "inferred-needs"]
        assert [f.line for f in found] == [7]

    @pytest.mark.parametrize(
        ("heading", "key"),
        [
            ("### Merge Point MP1", "MP1"),
            ("### Merge Point MP1: Join", "MP1"),
            ("### Merge Point: Join", "MP-join"),
            ("### Merge Point all lanes", "MP-all-lanes"),
            ("### Merge Point ../x", "MP-x"),
            ("##### Gate: Überprüfung", "G-uberprufung"),
            ("##### Gate: review", "G-review"),
        ],
    )
    def test_keys(self, heading: str, key: str) -> None:
        assert [s.key for s in plan_of(f"### Batch 1\n- A1: x\n{heading}\n").steps()] == ["A1", key]

    def test_equal_names_get_different_keys(self) -> None:
        plan = plan_of("### Batch 1\n- A1: x\n##### Gate: Look\n##### Gate: Look\n")
        assert needs(plan) == {"A1": [], "G-look": ["A1?"], "G-look-2": ["G-look?"]}

    def test_gate_can_be_needed_by_its_title(self) -> None:
        source = "### Batch 1\n- A1: x\n##### Gate: First look\n### Batch 2\n- A2: y (needs First look)\n"
        assert needs(plan_of(source))["A2"] == ["G-first-look?"]


class TestWithoutBatches:
    def test_batches_are_dependency_levels(self) -> None:
        source = (
            "# Plan: p\n## Tasks\n- A1: a\n- A2: b (needs A1)\n- B1: c\n- B2: d (needs A2, B1)\n"
            "### Merge Point MP1\n- Trigger: A2\n- Unlocks: B2\n"
        )
        plan = plan_of(source)
        assert shape(plan) == ["1/01/A/A1=", "1/01/B/B1=", "1/02/A/A2=", "1/MP1/MP1/MP1", "1/04/B/B2="]
        assert "inferred-levels" in codes(read_plan(source))

    def test_no_structure_is_one_stage_one_batch_one_thread_in_order(self) -> None:
        assert shape(plan_of("# Plan: p\n- A1: a\n- A2: b\n- A3: c\n")) == [
            "1/01/A/A1",
            "1/01/A/A2",
            "1/01/A/A3",
        ]

    def test_circle_is_kept_for_the_check(self) -> None:
        source = "## Tasks\n- A1: a (needs A2)\n- A2: b (needs A1)\n- A3: c\n"
        assert sorted(s.key for s in plan_of(source).steps()) == ["A1", "A2", "A3"]
        assert "dependency-cycle" in codes(read(source, TOOLS, Format.PLAN))

    def test_steps_directly_below_a_stage(self) -> None:
        source = "### Stage 1: s\nText.\n- A1: a\n- A2: b\n#### Stage Constitution\n- A3: c\n"
        assert shape(plan_of(source)) == ["1/01/A/A1", "1/01/A/A2"]
        assert plan_of(source).stages[0].definition.startswith("Text.")
        assert {"inferred-batch", "step-outside"} <= set(codes(read_plan(source)))

    def test_numbers_that_are_not_given_follow_from_the_place(self) -> None:
        source = "### Stage: s\n##### Batch: b\n###### Thread: t\n##### Batch: c\n###### Thread: t\n"
        assert shape(plan_of(source)) == ["1/01/01/01.01.01", "1/02/01/01.02.01"]
        assert codes(read_plan(source)).count("inferred-batch") == 2

    def test_step_in_another_section_is_reported(self) -> None:
        source = "# Plan: p\n## Tasks\n- A1: a\n## Later\n- A2: b\n"
        assert [f.line for f in read_plan(source).findings if f.code == "step-outside"] == [5]


class TestFrontMatter:
    def test_what_it_gives(self) -> None:
        plan = plan_of((PLANS / "ours.PLAN.md").read_text(encoding="utf-8"))
        assert (plan.domain, plan.owner, plan.priority) == ("identity", "Åsa Lindqvist", 3)
        assert (plan.base_branch, plan.repository) == ("trunk", "sample-shop")
        assert plan.parameters == (("region", "eu-north"), ("tries", "2"))

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("owner: *alias", "front-matter"),
            ("owner: &anchor x", "front-matter"),
            ("owner: !!python/object x", "front-matter"),
            ("owner: |", "front-matter"),
            ("priority: high", "front-matter"),
            ("no colon", "front-matter"),
            ("domain: twice", "front-matter"),
            ("colour: blue", "front-matter-unknown"),
        ],
    )
    def test_what_it_does_not_read(self, line: str, code: str) -> None:
        reading = read_plan(f"---\ndomain: x\n{line}\n---\n### Batch 1\n- A1: x\n")
        assert [f.line for f in reading.findings if f.code == code] == [3]

    def test_lines_count_from_the_start_of_the_file(self) -> None:
        assert step_of("---\ndomain: [a, b]\n---\n### Batch 1\n- A1: x\n", "A1").line == 5
        assert plan_of("---\ndomain: [a, b]\n---\n### Batch 1\n- A1: x\n").domain == "a, b"

    def test_never_closed(self) -> None:
        assert "front-matter" in codes(read_plan("---\ndomain: x\n### Batch 1\n- A1: x\n"))


def test_code_blocks_and_comments_hold_no_structure() -> None:
    source = (
        "### Batch 1\n- A1: x\n\n```\n### Batch 2\n- A2: y\n```\n<!--\n- A3: z\n-->\n~~~\n```\n- A4: z\n~~~\n"
    )
    assert shape(plan_of(source)) == ["1/01/A/A1="]


def test_open_code_block_is_reported() -> None:
    reading = read_plan("### Batch 1\n- A1: x\n```\n- A2: y\n")
    assert [f.line for f in reading.findings if f.code == "open-fence"] == [3]


def test_our_sample_plan_can_be_approved() -> None:
    reading = read((PLANS / "ours.PLAN.md").read_bytes(), TOOLS, Format.PLAN)
    assert reading.plan is not None
    assert reading.blockers == ()
    assert shape(reading.plan) == [
        "1/00/A/A1=",
        "1/00/B/B1",
        "1/01/B/B0",
        "1/01/A/A2",
        "1/MP1/MP1/MP1.run",
        "1/MP1/MP1/MP1",
        "2/01/01/02.01.01",
        "2/01/02/02.01.02.01",
        "2/01/02/02.01.02.02=",
        "2/01/02/02.01.02.03",
        "2/G-stage-2-evaluation/G-stage-2-evaluation/G-stage-2-evaluation",
        "3/99/01/03.99.01",
    ]


@pytest.mark.parametrize(
    ("name", "stages", "steps", "questions"),
    [("github-integration", 6, 24, 10), ("session-tracking", 4, 12, 6)],
)
def test_real_plans_of_the_framework(name: str, stages: int, steps: int, questions: int) -> None:
    path = SHARED / "corpus" / "plans" / f"workstream-{name}.PLAN.md"
    if not path.is_file():
        pytest.skip(f"the corpus is not beside the checkout: {path} is missing")
    reading = read(path.read_bytes(), TOOLS, Format.PLAN)
    plan = reading.plan
    assert plan is not None
    assert reading.blockers == ()
    assert (len(plan.stages), len(list(plan.steps())), len(plan.questions)) == (stages, steps, questions)
    assert all(step.key.count(".") == 2 and step.details for step in plan.steps())
    assert not [f for f in reading.findings if f.code.startswith("step-") or f.severity is Severity.INFO]


def test_wf1_a_thread_may_be_lettered_and_names_its_lane() -> None:
    source = "# Plan: L\n### Stage 1: s\n##### Batch 01: b\n###### Thread A: ledger\n- A1: one\n- A2: two\n"
    plan = read_plan(source).plan
    assert plan is not None
    thread = plan.stages[0].batches[0].threads[0]
    assert (thread.lane, thread.name) == ("A", "ledger")
    assert [(step.key, step.parallel) for step in thread.steps] == [("A1", False), ("A2", False)]


class TestGateHeadings:
    """A gate that a person wrote is a gate, or a finding says that it was not read (WF-5, BX-3)."""

    PLAN = (
        "# Plan: p\n## Stages\n### Stage 1: s\n##### Batch 01: b\n- A1: a\n{}\n##### Batch 02: c\n- B1: b\n"
    )

    @pytest.mark.parametrize(
        ("heading", "key", "title", "kind"),
        [
            ("##### Gate E1: Is it right", "E1", "Is it right", GateKind.REVIEW),
            ("##### Gate E1", "E1", "E1", GateKind.REVIEW),
            ("##### Evaluation gate E1", "E1", "Evaluation gate", GateKind.EVALUATION),
            ("##### Evaluation Gate E1: Is it right", "E1", "Is it right", GateKind.EVALUATION),
            ("##### Release Gate: Ship it", "G-ship-it", "Ship it", GateKind.RELEASE),
            ("##### Release gate EU: Ship it", "EU", "Ship it", GateKind.RELEASE),
            ("##### **Sign-off gate**", "G-sign-off-gate", "Sign-off gate", GateKind.REVIEW),
        ],
    )
    def test_however_it_is_headed(self, heading: str, key: str, title: str, kind: GateKind) -> None:
        gate = next(step for step in plan_of(self.PLAN.format(heading)).steps() if step.gate)
        assert gate.gate is not None
        assert (gate.key, gate.title, gate.gate.kind) == (key, title, kind)
        assert [need.key for need in gate.needs] == ["A1"]

    @pytest.mark.parametrize(
        "heading", ["##### Past the gate", "##### Gates", "## Gate criteria", "# Release gate"]
    )
    def test_headings_that_only_speak_of_one(self, heading: str) -> None:
        assert not [step for step in plan_of(self.PLAN.format(heading)).steps() if step.gate]

    @pytest.mark.parametrize(
        "heading", ["### Sign-off by the board", "##### Text of the batch", "## Sign-off"]
    )
    def test_one_that_was_not_understood_is_told(self, heading: str) -> None:
        source = self.PLAN.format(f"{heading}\n- **Trigger:** A1 complete\n- **Reviewers:** anna")
        found = [one for one in read_plan(source).findings if one.code == "gate-not-read"]
        assert [one.line for one in found] == [7, 8]
        assert "##### Gate: name" in found[0].fix
