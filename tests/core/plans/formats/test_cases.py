"""Small plans after what people met with plans of their own: each is read to the right value (WF-2, AD-5)."""

from pathlib import Path
from time import process_time

import pytest

from orchestrator.core.plans.checks.read import read as read_checked
from orchestrator.core.plans.plan import Plan, Reading, StepSpec
from orchestrator.core.terms import Format, TaskStatus

CASES = Path(__file__).resolve().parents[1] / "cases"


def read(number: str) -> Reading:
    (path,) = CASES.glob(f"{number}-*")
    reading = read_checked(path.read_bytes(), frozenset())
    assert reading.plan
    assert not reading.blockers
    return reading


def plan_of(number: str) -> Plan:
    plan = read(number).plan
    assert plan
    return plan


def steps(number: str) -> dict[str, StepSpec]:
    return {step.key: step for step in plan_of(number).steps()}


def titles(number: str) -> list[str]:
    return [step.title for step in plan_of(number).steps()]


def needs(step: StepSpec) -> list[str]:
    return [need.key for need in step.needs]


def states(number: str) -> dict[str, TaskStatus]:
    return {one.key: one.status for one in read(number).progress if one.status is not TaskStatus.PENDING}


def codes(number: str) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in read(number).findings]


def test_a_suffix_is_a_dependency_and_no_part_of_the_title() -> None:
    step = steps("01")["T003"]
    assert (step.title, needs(step)) == ("Print one label", ["T001", "T002"])


def test_packages_that_state_no_dependency_have_none() -> None:
    assert [needs(step) for step in steps("02").values()] == [[], [], []]
    assert {placed.place[:2] for placed in plan_of("02").placed_steps()} == {(0, 0)}, "side by side"


def test_kiro_tasks_below_a_task_are_its_steps() -> None:
    plan = plan_of("09")
    assert [step.key for step in plan.steps()] == ["1", "2.1", "2.2", "3"]
    assert "Booking rules" in plan.stages[0].batches[1].name
    assert states("09") == {"1": TaskStatus.COMPLETE}


def test_openspec_groups_are_stages_in_order() -> None:
    plan = plan_of("14")
    counts = [sum(1 for batch in s.batches for t in batch.threads for _ in t.steps) for s in plan.stages]
    assert counts == [2, 3]
    assert states("14") == {"1.1": TaskStatus.COMPLETE}


def test_odd_marks_are_tasks_and_unknown_ones_are_told() -> None:
    assert len(steps("16")) == 6
    assert states("16") == {
        "T001": TaskStatus.COMPLETE,
        "T002": TaskStatus.CANCELLED,
        "T003": TaskStatus.ACTIVE,
        "T006": TaskStatus.COMPLETE,
    }
    assert [line for code, line in codes("16") if code == "unreadable-value"] == [8, 9]


@pytest.mark.parametrize(("number", "files"), [("17", 2), ("70", 0)])
def test_steps_of_superpowers_belong_to_their_task(number: str, files: int) -> None:
    reading = read(number)
    assert reading.format is Format.SUPERPOWERS
    assert titles(number) == ["Reader", "Printer"]
    first, second = steps(number).values()
    assert (len(first.files), len(second.files)) == (files, files)
    assert "Step 1: Write the" in first.details
    assert "Step 2:" in second.details


def test_the_numbered_headings_of_plan_mode_are_steps_and_the_rest_is_text() -> None:
    plan = plan_of("24")
    assert [step.key for step in plan.steps()] == ["1", "2", "3"]
    assert "## Verification" in plan.summary
    assert "checkout/form.py" in next(plan.steps()).details


def test_conductor_marks_are_state_and_boxes_below_are_details() -> None:
    assert titles("34")[:2] == ["Count points", "Show points"]
    assert states("34") == {"1.1": TaskStatus.COMPLETE, "1.2": TaskStatus.ACTIVE}
    assert "[x] Implement" in steps("34")["1.1"].details
    assert len(plan_of("34").stages) == 2


def test_a_checklist_is_a_plan() -> None:
    assert titles("38") == ["Buy the paint", "Sand the wall", "Paint the wall", "Wait a day", "Paint again"]
    assert states("38") == {"1": TaskStatus.COMPLETE}


def test_task_headings_have_files_acceptance_and_needs() -> None:
    third = steps("40")["3"]
    assert (needs(third), third.files, third.exit) == (
        ["1", "2"],
        ("src/search.py",),
        ("lists what it finds",),
    )
    assert "~60 lines" in steps("40")["1"].details


def test_rows_of_a_task_table_are_tasks() -> None:
    assert titles("41") == ["Collect addresses", "Write the text", "Send a trial", "Send to all"]
    assert [needs(step) for step in steps("41").values()] == [[], [], ["1", "2"], ["3"]]
    assert states("41") == {"1": TaskStatus.COMPLETE}
    assert [one.agent for one in read("41").progress] == ["anna", "omar", "anna", "anna"]


def test_braces_that_name_no_parameter_are_text() -> None:
    assert titles("44")[0] == "Replace `{{ user.name }}` in the greeting"


def test_wrapped_text_is_kept_with_criteria_and_files() -> None:
    step = steps("64")["T001"]
    assert step.title.endswith("specification lists, including the currency")
    assert (step.exit, step.files) == (("the migration runs twice",), ("src/orders.sql",))


def test_the_third_level_of_subtasks_is_kept() -> None:
    assert sorted(titles("66")) == ["a", "b", "c"]


def test_a_merge_conflict_is_told() -> None:
    assert ("conflict-marker", 5) in codes("72")


def test_keyed_bare_and_boxed_bullets_are_four_tasks() -> None:
    assert titles("73") == ["Read the card", "Print the slip", "Open the drawer", "Show the sum"]


def test_every_way_to_say_a_dependency_is_read() -> None:
    assert [needs(step) for step in steps("74").values()] == [[], ["A1"], ["A1"], ["A1"], ["A1"]]


def test_a_long_title_is_shortened_and_kept_whole() -> None:
    step = steps("75")["T001"]
    assert len(step.title) <= 300
    assert step.details.startswith("Create the importer")
    assert step.details.endswith("newer than the list")


def test_packages_wait_for_the_packages_they_name() -> None:
    assert needs(steps("77")["T001"]) == ["T002", "T003"]


def test_words_in_backticks_are_files_only_when_they_look_like_paths() -> None:
    assert [step.files for step in steps("85").values()] == [(), (), (), ()]
    assert [step.parallel for step in steps("85").values()] == [False, False, True, True]


def test_a_block_in_a_markdown_block_does_not_end_it() -> None:
    text = "# A\n```markdown\n```python\nx = 1\n```\n- [ ] in the block\n```\n- [ ] a step\n"
    plan = read_checked(text, frozenset()).plan
    assert plan
    assert [step.title for step in plan.steps()] == ["a step"]


def test_a_comment_that_is_never_closed_hides_nothing() -> None:
    plan = read_checked("<!-- draft\n- [ ] a step\n", frozenset()).plan
    assert plan
    assert [step.title for step in plan.steps()] == ["a step"]


def test_comments_before_json_are_no_part_of_it() -> None:
    reading = read_checked('// from the tool\n/* 2026 */\n[{"content": "x", "status": "done"}]', frozenset())
    assert reading.format is Format.TODO
    assert reading.plan


def test_gates_alone_are_no_plan() -> None:
    reading = read_checked("# Plan: A\n### Gate: Ship\n- Reviewers: anna\n", frozenset())
    assert [finding.code for finding in reading.findings if finding.blocks] == ["no-step"]


def test_other_tools_front_matter_is_left_alone() -> None:
    text = "---\ntags:\n  - a\nmeta: {a: b}\napprovers:\n  - anna\n---\n# Plan: X\n### Batch 1: a\n- A1: x\n"
    reading = read_checked(text, frozenset())
    assert reading.plan
    assert reading.plan.approvers == ("anna",)
    assert not reading.blockers


@pytest.mark.parametrize(
    ("title", "needed"),
    [
        ("Second (needs 1)", ["1"]),
        ("Second (after Task 1)", ["1"]),
        ("Second, depends on 1", ["1"]),
        ("Second once First is done", ["1"]),
        ("Second [blocked by 1]", ["1"]),
        ("Second, which does not depend on Task 1", []),
        ("Second: needs 3 people", []),
        ("Second (independent of Task 1)", []),
    ],
)
def test_phrases_for_a_dependency(title: str, needed: list[str]) -> None:
    plan = read_checked(f"## Tasks\n1. First\n2. {title}\n3. Third\n", frozenset()).plan
    assert plan
    assert needs(list(plan.steps())[1]) == needed


def test_decimal_stages_are_stages_in_the_order_in_which_they_stand() -> None:
    text = (
        "# Plan: A\n### Stage 1.1: Base\n##### Batch 01: x\n- A1: one\n"
        "### Stage 1.2: Rest\n##### Batch 01: y\n- B1: two\n"
    )
    plan = read_checked(text, frozenset()).plan
    assert plan
    assert [(stage.number, stage.name) for stage in plan.stages] == [(1, "Base"), (2, "Rest")]


@pytest.mark.parametrize(
    "start", ["#" * 50_000, "# \n" * 20_000, "/*" * 20_000, "/* x */ " * 20_000, " \n" * 50_000]
)
def test_what_stands_before_json_is_looked_through_once(start: str) -> None:
    started = process_time()
    assert read_checked(f"{start}\n[1]", frozenset(), Format.TASKS).plan is None
    assert process_time() - started < 2


CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("start", "ours", "theirs", "titles_read"),
    [
        ("# T\n- [ ] z\n", "- [ ] x", "- [ ] y", ["z", "x", "y"]),
        ("# Tasks: X\n## Phase 1: S\n- [ ] T001 z\n", "- [ ] T002 x", "- [ ] T003 y", ["z", "x", "y"]),
        ("## 1. G\n- [ ] 1.1 z\n", "- [ ] 1.2 x", "- [ ] 1.3 y", ["z", "x", "y"]),
        ("## Work Package WP01: A\n- [ ] T001 z\n", "- [ ] T002 x", "- [ ] T003 y", ["z", "x", "y"]),
        ("stages:\n  - name: S\n    steps:\n", "      - title: x", "      - title: y", ["x", "y"]),
        ('<task type="auto"><name>z</name></task>\n', "<task><name>x</name></task>", "", ["z", "x"]),
        ("# Plan: A\n### Batch 1: b\n- A1: z\n", "- A2: x", "- A3: y", ["z", "x", "y"]),
        ("# T\n- [ ] z\n", "- [ ] x\n||||||| base\n- [ ] old", "- [ ] y", ["z", "x", "y"]),
    ],
)
def test_b13_the_marks_of_a_conflict_are_told_and_no_part_of_a_title(
    start: str, ours: str, theirs: str, titles_read: list[str]
) -> None:
    reading = read_checked(start + CONFLICT.format(ours, theirs), frozenset())
    assert reading.plan
    assert [step.title for step in reading.plan.steps()] == titles_read
    lines = [finding.line for finding in reading.findings if finding.code == "conflict-marker"]
    assert lines == [start.count("\n") + 1]


def test_b13_a_conflict_in_json_is_told_and_both_sides_are_read() -> None:
    one = '{{"content": "{}", "status": "pending"}},'
    text = f"[\n{CONFLICT.format(one.format('a'), one.format('b'))}{one.format('c')[:-1]}\n]"
    reading = read_checked(text, frozenset())
    assert reading.plan
    assert [step.title for step in reading.plan.steps()] == ["a", "b", "c"]
    assert [finding.line for finding in reading.findings if finding.code == "conflict-marker"] == [2]


def test_b13_half_a_conflict_is_told_and_one_in_code_stays_code() -> None:
    half = read_checked("# T\n- [ ] z\n<<<<<<< HEAD\n- [ ] x\n", frozenset())
    assert ("conflict-marker", 3) in [(finding.code, finding.line) for finding in half.findings]
    code = CONFLICT.format("a", "b")
    plan = read_checked(f"# T\n- [ ] Explain\n  ```\n{code}  ```\n- [ ] End\n", frozenset()).plan
    assert plan
    assert "=======" in next(plan.steps()).details


@pytest.mark.parametrize(("mark", "status"), [("✔️", "complete"), ("☑️", "complete"), ("✅", "complete")])
def test_a_mark_may_be_an_emoji_with_its_selector(mark: str, status: str) -> None:
    for text in (f"# T\n- [{mark}] one\n", f"# Plan: A\n### Batch 1: b\n- [{mark}] A1: one\n"):
        reading = read_checked(text, frozenset())
        assert reading.plan
        assert [step.title for step in reading.plan.steps()] == ["one"]
        assert [one.status for one in reading.progress] == [status]


@pytest.mark.parametrize(
    "bullets",
    [
        "- **Collect addresses**: from the shop\n- **Send** (needs Collect addresses)\n- [ ] Rest\n",
        "1. **Collect addresses**: from the shop\n2. **Send** after Collect addresses\n",
    ],
)
def test_names_in_bold_are_names_of_steps(bullets: str) -> None:
    plan = read_checked(f"# T\n## Tasks\n{bullets}", frozenset()).plan
    assert plan
    first, second = list(plan.steps())[:2]
    assert first.title.startswith("Collect addresses")
    assert needs(second) == [first.key]


def test_labels_in_bold_are_no_steps() -> None:
    text = "# T\n## Phase 1: A\n- **Goal**: a wall\n- **Files:** `a.py`\n- **Owner**: anna\n- [ ] Paint\n"
    plan = read_checked(text, frozenset()).plan
    assert plan
    assert [step.title for step in plan.steps()] == ["Paint"]


@pytest.mark.parametrize("space", ["\u00a0", "\u202f"])
def test_no_break_spaces_are_spaces(space: str) -> None:
    native = read_checked(
        f"# Plan: A\n### Batch 1: b\n- A1:{space}one\n- A2: two (needs{space}A1)\n", frozenset()
    )
    listed = read_checked(f"1.{space}one\n2.{space}two depends{space}on{space}Task{space}1\n", frozenset())
    suffix = read_checked(f"1. one\n2. two (needs{space}1)\n", frozenset())
    for reading in (native, listed, suffix):
        assert reading.plan
        first, second = reading.plan.steps()
        assert (first.title, needs(second)) == ("one", [first.key])


def test_letters_that_look_the_same_are_the_same() -> None:
    text = "- [ ] Pr\u00fcfen\n- [ ] Drucken (needs Pru\u0308fen)\n"
    plan = read_checked(text, frozenset()).plan
    assert plan
    assert [needs(step) for step in plan.steps()] == [[], ["1"]]


@pytest.mark.parametrize(
    ("end", "title", "needed"),
    [
        ("Sort; needs A1", "Sort", ["A1"]),
        ("Sort - depends on A1", "Sort", ["A1"]),
        ("Sort – after A1 and A2", "Sort", ["A1", "A2"]),
        ("Sort, waits for A1", "Sort", ["A1"]),
        ("Sort - after lunch", "Sort - after lunch", []),
        ("Sort; needs care", "Sort; needs care", []),
    ],
)
def test_our_own_plans_say_dependencies_at_the_end_of_a_title(
    end: str, title: str, needed: list[str]
) -> None:
    plan = read_checked(f"# Plan: A\n### Batch 1: b\n- A1: x\n- A2: y\n- A3: {end}\n", frozenset()).plan
    assert plan
    step = list(plan.steps())[2]
    assert (step.title, needs(step)) == (title, needed)


@pytest.mark.parametrize("word", ["Requires", "After", "Prerequisites", "Waits for"])
def test_a_property_of_keys_is_a_dependency_and_other_text_is_kept(word: str) -> None:
    text = f"# Plan: A\n### Batch 1: b\n- A1: x\n- A2: y\n  - {word}: A1\n- A3: z\n  - {word}: Node 20\n"
    plan = read_checked(text, frozenset()).plan
    assert plan
    _, second, third = plan.steps()
    assert (needs(second), needs(third)) == (["A1"], [])
    assert "Node 20" in third.details


def test_keys_in_the_text_of_a_thread_are_told() -> None:
    text = "# Plan: A\n### Batch 1: b\n#### Thread 1: t\nDo it\n- Fix1: x\n- Fix2: y\n- Note: z\n"
    findings = read_checked(text, frozenset()).findings
    assert [one.line for one in findings if one.code == "step-in-details"] == [5, 6]


def test_a_comment_that_is_never_closed_is_told_and_one_in_code_is_not() -> None:
    def told(text: str) -> list[int]:
        return [one.line for one in read_checked(text, frozenset()).findings if one.code == "open-fence"]

    assert told("# T\n<!-- a -->\n- [ ] one\n<!-- open\n- [ ] two\n") == [4]
    assert told("# T\n- [ ] one\n```html\n<!-- open\n```\n- [ ] two\n") == []
    assert told("# T\n- [ ] one\n<!-- closed\n-->\n") == []
