"""WF-2, WF-8: what people write in lists of their own is a step, a dependency, or told with its line."""

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.graph import compile_graph
from orchestrator.core.plans.plan import Reading

NO_TOOLS: frozenset[str] = frozenset()


def reading_of(text: str) -> Reading:
    return read(text, NO_TOOLS)


def steps(reading: Reading) -> list[str]:
    return [step.title for step in reading.plan.steps()] if reading.plan else []


def needs(reading: Reading) -> dict[str, list[str]]:
    assert reading.plan, [finding.message for finding in reading.findings]
    return {step.key: [need.key for need in step.needs] for step in reading.plan.steps()}


def lines(reading: Reading, code: str) -> list[int]:
    return [finding.line for finding in reading.findings if finding.code == code]


HEADINGS = ("Deploy", "Testing", "Order service", "Notes app", "About page", "Currency", "Risk engine", "M1")


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("first", ["## Build\n- [ ] code it", "## Phase 1: Build\n- code it"])
@pytest.mark.parametrize("mark", ["-", "*", "1.", "   -"])
def test_wf2_a_list_under_any_heading_is_steps_or_told(first: str, heading: str, mark: str) -> None:
    reading = reading_of(f"{first}\n\n## {heading}\n{mark} roll out: all of it\n")
    assert "roll out: all of it" in steps(reading) or lines(reading, "work-as-text") == [5]


@pytest.mark.parametrize("heading", ["Notes", "Key risks", "Current state", "Out of scope", "References"])
def test_wf2_a_list_of_remarks_is_counted_and_asks_for_nothing(heading: str) -> None:
    reading = reading_of(f"## Build\n- [ ] code it\n\n## {heading}\n\n### All\n- it rains\n")
    assert reading.account.as_text == (7,)
    assert lines(reading, "work-as-text") == []


@pytest.mark.parametrize(
    "text",
    [
        "1. Build login\n   - AC1: works\n2. Build search\n",
        "1. Build login\n- AC1: works\n2. Build search\n- AC2: finds\n",
        "- Build login\n  - AC1: works\n  - AC2: fast\n- Build search\n",
        "## Task 1: Build login\n- AC1: works\n\n## Task 2: Build search\n- AC3: finds\n",
        "### Step 1 - Build login\n- R1.2: works\n- 1.1: fast\n\n### Step 2 - Build search\n- AC3: finds\n",
        "**Task 1: Build login**\n- AC1: works\n\n**Task 2: Build search**\n- AC3: finds\n",
        "## T-1: Build login\n- AC1: works\n\n## T-2: Build search\n- AC3: finds\n",
    ],
)
def test_wf8_keyed_criteria_of_a_task_make_no_plan_of_their_own(text: str) -> None:
    assert steps(reading_of(text)) == ["Build login", "Build search"]


def test_wf8_keyed_bullets_of_a_list_stay_steps() -> None:
    for text in ("- A1: dig\n- A2: pour\n", "# P\n\n- note\n\nText\n\n  - A1: dig\n  - A2: pour\n"):
        assert steps(reading_of(text)) == ["dig", "pour"]


def test_wf2_bullets_as_far_left_as_the_number_above_them_belong_to_it() -> None:
    reading = reading_of(
        "1. **Setup**\n- install\n\n2. **Build**\n- compile (needs 1)\n  - deeper\n3. **Ship**\n"
    )
    assert steps(reading) == ["Setup", "Build", "Ship"]
    assert reading.plan
    assert reading.plan.summary == ""
    assert [step.details for step in reading.plan.steps()][:2] == [
        "- install",
        "- compile (needs 1)\n  - deeper",
    ]
    assert needs(reading)["2"] == ["1"]


@pytest.mark.parametrize("header", ["| # | Task |", "| ID | Task | Owner |", "No | Task"])
def test_bx4_a_table_without_a_column_for_dependencies_is_in_order(header: str) -> None:
    cells = header.count("|") - 1 if header.startswith("|") else 2
    rule = "|".join(["--"] * cells)
    rows = "".join(f"{n} | {what} | Ann\n" for n, what in ((1, "Dig"), (2, "Pour")))
    bar = "|" if header.startswith("|") else ""
    text = f"{header}\n{bar}{rule}{bar}\n" + "".join(f"{bar}{row}" for row in rows.splitlines(keepends=True))
    reading = reading_of(text)
    assert steps(reading) == ["Dig", "Pour"]
    assert reading.plan
    assert not any(step.parallel for step in reading.plan.steps())
    assert len(reading.plan.stages[0].batches[0].threads) == 1


def test_bx4_an_empty_cell_of_a_column_for_dependencies_waits_for_nothing() -> None:
    reading = reading_of("| # | Task | Needs |\n|--|--|--|\n| 1 | Dig | |\n| 2 | Pour | 1 |\n| 3 | Sing |\n")
    assert reading.plan
    assert [bool(step.parallel) for step in reading.plan.steps()] == [True, True, True]
    assert needs(reading) == {"1": [], "2": ["1"], "3": []}


PARTLY_KNOWN = {
    "list": "- [ ] T1 a\n- [ ] T2 b (depends on T1, T9)\n",
    "numbers": "1. a\n2. b (needs 1 and 9)\n",
    "headings": "## Task 1: a\n\n## Task 2: b\nDepends on: Task 1, Task 9\n",
    "sentence": "## P-1: a\n\n## P-2: b\nBlocked by P-1, P-9.\n",
    "table": "| ID | Task | Depends on |\n|--|--|--|\n| T1 | a | |\n| T2 | b | T1, T9 |\n",
    "spec-kit": "# Tasks: X\n\n## Phase 1: S\n\n- [ ] T001 a\n- [ ] T002 b (depends on T001, T009)\n",
    "openspec": "## 1. G\n- [ ] 1.1 a\n- [ ] 1.2 b (depends on 1.1, 1.9)\n",
    "superpowers": "# F Implementation Plan\n\n### Task 1: a\n\n- [ ] **Step 1: x**\n\n### Task 2: b\n\n"
    "**Depends on:** Task 1, Task 9\n\n- [ ] **Step 1: x**\n",
}


@pytest.mark.parametrize("name", PARTLY_KNOWN)
def test_ad1_an_unknown_dependency_beside_a_known_one_is_told(name: str) -> None:
    reading = reading_of(PARTLY_KNOWN[name])
    assert reading.plan
    first, second = reading.plan.steps()
    assert next(need.key for need in second.needs) == first.key
    told = [
        finding
        for finding in reading.findings
        if finding.code in ("unreadable-value", "unknown-need", "unknown-dependency")
        and "9" in finding.message
    ]
    assert told
    # What surely names a step is a need that holds it up until a reviewer drops it; the rest stays as text.
    assert "9" in second.details or any("9" in need.key for need in second.needs)


@pytest.mark.parametrize("said", ["needs 1", "depends on Task 1", "after #1", "needs 1, 2", "needs 1-2"])
def test_ad1_a_step_that_names_itself_is_told_so(said: str) -> None:
    reading = reading_of(f"1. a ({said})\n2. b\n")
    told = [one.message for one in reading.findings if one.code == "unreadable-value"]
    assert any("itself" in message for message in told)
    assert "1" not in needs(reading)["1"]


@pytest.mark.parametrize(
    "said", ["Tasks 1-3", "1-3", "#1-3", "#1-#3", "Task 1–3", "Tasks 1 through 3", "Task 1 - Task 3", "1..3"]
)
def test_ad1_a_range_is_every_step_of_it(said: str) -> None:
    text = "".join(f"## Task {n}: t{n}\n\n" for n in (1, 2, 3)) + f"## Task 4: t4\nDepends on: {said}\n"
    reading = reading_of(text)
    assert needs(reading)["4"] == ["1", "2", "3"]
    assert lines(reading, "unreadable-value") == lines(reading, "dependency-not-read") == []


def test_ad1_a_date_is_no_range() -> None:
    assert needs(reading_of("1. a\n2. b, after 2024-01-15\n3. c (see 1-2-3)\n")) == {
        "1": [],
        "2": [],
        "3": [],
    }


@pytest.mark.parametrize(
    "text",
    [
        "# Implementation Plan\n\n- [ ] 1. G\n  - [ ] 1.1 a\n  - [ ] 1.2 b\n- [ ] 2. H (depends on 1)\n"
        "  - _Requirements: 1_\n",
        "## 1. G\n- [ ] 1.1 a\n- [ ] 1.2 b\n\n## 2. H\n- [ ] 2.1 c (depends on 1)\n",
    ],
)
def test_ad1_the_number_of_a_group_is_all_of_it(text: str) -> None:
    assert [*needs(reading_of(text)).values()] == [[], [], ["1.1", "1.2"]]


def test_ad1_a_step_does_not_wait_for_the_group_that_it_is_in() -> None:
    reading = reading_of("## 1. G\n- [ ] 1.1 a\n- [ ] 1.2 b (depends on 1)\n")
    assert needs(reading) == {"1.1": [], "1.2": []}
    assert lines(reading, "unreadable-value") == [3]


@pytest.mark.parametrize(
    "head",
    [
        "##### Batch 01: b\n\n###### Thread 01: t\n",
        "### Batch 1\n\n",
        "### Stage 1: s\n\n#### Batch 1: b\n\n",
    ],
)
def test_wf2_a_bullet_beside_the_steps_of_a_plan_is_a_step_or_told(head: str) -> None:
    text = f"# Plan: N\n\n{head}- A1: one\n- plain bullet\n- Buy milk: today\n- A2: two\n- Note: it rains\n"
    reading = reading_of(text)
    at = text[: text.index("- plain")].count("\n") + 1
    assert sorted(steps(reading)) == ["one", "plain bullet", "two"]
    assert lines(reading, "work-as-text") == [at + 1]


def test_ad1_a_sentence_between_the_steps_says_what_waits() -> None:
    reading = reading_of("1. a\n2. b\n3. c\n\n2 and 3 can run in parallel once 1 is done.\n")
    assert needs(reading) == {"1": [], "2": ["1"], "3": ["1"]}


@pytest.mark.parametrize("said", ["once T001 is merged", "after T001", "(blocked by: T002; waits for T001)"])
@pytest.mark.parametrize("ids", ["", "# Tasks: X\n\n## Phase 1: S\n\n"])
def test_ad1_a_phrase_for_a_dependency_in_a_title_is_read(ids: str, said: str) -> None:
    reading = reading_of(f"{ids}- [ ] T001 a\n- [ ] T002 b\n- [ ] T003 [P] c {said}\n")
    assert "T001" in needs(reading)["T003"]


@pytest.mark.parametrize("said", ["two, once A1 is merged", "two (A1 first)", "two, as soon as A1 is done"])
def test_ad1_a_phrase_that_a_plan_does_not_take_is_told(said: str) -> None:
    reading = reading_of(f"# Plan: N\n\n### Batch 1\n- A1: one\n- B1: {said}\n")
    assert lines(reading, "dependency-not-read") == [5]


def test_ad1_an_arrow_in_the_line_of_a_step_is_told_when_nothing_waits_so() -> None:
    text = "# Tasks: X\n\n## Phase 1: S\n\n- [ ] T001 a\n- [ ] T002 [P] b\n- [ ] T003 [P] c → T001\n"
    assert lines(reading_of(text), "dependency-not-read") == [7]
    assert lines(reading_of(text.replace("[P] c", "c")), "dependency-not-read") == []


def test_wf2_a_line_that_says_what_waits_is_no_work_beside_that() -> None:
    text = "# Tasks: X\n\n## Phase 1: S\n\n- [ ] T010 a\n- [ ] T012 b\n\n## Phase 2: T\n- [ ] T020 [P] c\n"
    text += "\n## Dependencies"
    for said in ("T020 blocked by T012", "T020 depends on T012", "T012 → T020", "**T020**: blocked by T012"):
        reading = reading_of(f"{text}\n\n- {said}\n")
        assert "T012" in needs(reading)["T020"]
        assert lines(reading, "work-as-text") == lines(reading, "dependency-not-read") == []


@pytest.mark.parametrize(
    "said", ["Depends on: —", "Needs:", "Needs: -", "Depends on: none", "- Blocked by: –", "**Depends on:**"]
)
def test_ad1_a_property_that_names_nothing_waits_for_nothing(said: str) -> None:
    reading = reading_of(f"## Task 1: a\n\n## Task 2: b\n{said}\n\nText.\n")
    assert needs(reading)["2"] == []
    assert lines(reading, "dependency-not-read") == []


def test_ad1_a_denied_dependency_beside_a_real_one_is_not_what_waits() -> None:
    said = "No dependency on Task 1; requires Task 3"
    reading = reading_of(f"## Task 1: a\n\n## Task 2: b\n{said}\n\n## Task 3: c\n")
    assert needs(reading)["2"] == ["3"]
    assert lines(reading, "dependency-not-read") == []


@pytest.mark.parametrize(
    "section", ["## File Structure", "## Files", "## Architecture", "## Phase 1", "## Tasks"]
)
@pytest.mark.parametrize("after", ["Risks", "Prerequisites", "Rollout"])
def test_wf8_lists_around_tasks_with_headings_are_no_steps(section: str, after: str) -> None:
    text = (
        f"# F Implementation Plan\n\n{section}\n- `src/a.ts` — parser\n\n### Task 1: A\n\n"
        "- [ ] **Step 1: x**\n\n"
        f"### Task 2: B\n\n- [ ] **Step 1: x**\n\n## {after}\n1. first\n2. second\n"
    )
    reading = reading_of(text)
    assert steps(reading) == ["A", "B"]
    assert lines(reading, "duplicate-id") == []
    assert {4, 15, 16} <= set(reading.account.as_text)


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] dig\n-[ ] pour\n-[x] sing\n",
        "1. [ ] dig\n2.[ ] pour\n3.[x] sing\n",
        "- [ ] dig\n☐ pour\n☑ sing\n",
        "☐ dig\n☐ pour\n☑ sing\n",
        "- ☐ dig\n- ☐ pour\n- ☑ sing\n",
    ],
)
def test_wf8_boxes_of_every_look_are_steps_with_their_state(text: str) -> None:
    reading = reading_of(text)
    assert steps(reading) == ["dig", "pour", "sing"]
    assert [one.status.value for one in reading.progress if one.line == 3] == ["complete"]
    assert reading.account.sentence.startswith("3 boxes: 3 steps.")


@pytest.mark.parametrize(
    "text", ["a) dig\nb) pour\n", "# P\n\nA. dig\n   - deep\nB. pour\n", "a. dig\n\nb. pour\n"]
)
def test_wf8_a_list_with_letters_is_steps(text: str) -> None:
    assert steps(reading_of(text)) == ["dig", "pour"]


def test_wf8_letters_that_count_nothing_are_text() -> None:
    for text in ("A. Smith wrote this.\n", "- [ ] dig\n\nA. Smith\nB. Miller\n"):
        assert steps(reading_of(text)) in ([], ["dig"])


@pytest.mark.parametrize("first", ["Week 1:", "Week 1: Begin", "Day 1 - Begin", "**Week 1: Begin**"])
@pytest.mark.parametrize("blank", ["", "\n"])
@pytest.mark.parametrize("mark", ["-", "1."])
def test_wf8_a_line_that_counts_a_group_above_a_list_is_a_group(first: str, blank: str, mark: str) -> None:
    second = first.replace("1", "2").replace("Begin", "Finish")
    reading = reading_of(f"{first}\n{blank}{mark} dig\n{blank}{second}\n{blank}{mark} sing\n")
    assert steps(reading) == ["dig", "sing"]
    assert reading.plan
    assert len(reading.plan.stages) == 2
    assert lines(reading, "duplicate-id") == []


def test_bx1_files_in_backticks_and_without_are_all_owned() -> None:
    reading = reading_of("- [ ] a\n  Files: `a.py`, b.py, `src/c.ts` and the docs, src/d.ts\n- [ ] b\n")
    assert reading.plan
    assert sorted(next(iter(reading.plan.steps())).files) == ["a.py", "b.py", "src/c.ts", "src/d.ts"]


def test_what_bounds_and_guards_the_work_holds_for_a_list_too() -> None:
    """FR-013, WF-3, BX-9: a budget that is written above a list and read of nothing protects nobody."""
    text = (
        "---\nbudget: 5,000 tokens\nsilence: 90m\nverify: pytest -q tests\nrepository: shop\napprovals: 2\n"
        "approvers: [anna, omar]\n---\n# Paint\n\n- [ ] Buy the paint\n- [ ] Sand the wall\n"
    )
    plan = reading_of(text).plan
    assert plan is not None
    assert (plan.budget, plan.silence, plan.verify) == ("5,000 tokens", "90m", "pytest -q tests")
    assert (plan.repository, plan.approvals, plan.approvers) == ("shop", 2, ("anna", "omar"))


def test_what_another_tool_means_by_such_a_name_stays_text() -> None:
    text = "---\nverify: look at the wall\nrepository: https://example.org/shop\n---\n- [ ] Buy\n- [ ] Sand\n"
    plan = reading_of(text).plan
    assert plan is not None
    assert (plan.verify, plan.repository) == ("", "")
    assert "look at the wall" in plan.summary


def test_what_orders_and_names_the_work_holds_for_a_list_too() -> None:
    """AD-1, AD-3: whoever writes it above a list gets the same as above a plan."""
    text = (
        "---\norder: dependencies\nneeds: [other-work]\ndomain: home\nowner: anna\npriority: 7\n---\n"
        "# Paint\n\n- [ ] Buy the paint\n- [ ] Sand the wall\n- [ ] Paint it (needs 1, 2)\n"
    )
    plan = reading_of(text).plan
    assert plan is not None
    assert (plan.domain, plan.owner, plan.priority, plan.needs, plan.needs_line) == (
        "home",
        "anna",
        7,
        ("other-work",),
        3,
    )
    assert plan.by_needs
    graph = compile_graph(plan)
    assert [len(graph.predecessors(step.key)) for step in plan.steps()] == [0, 0, 2]


@pytest.mark.parametrize(
    "line",
    [
        "priority: high",
        "order: as you like",
        "budget: lots",
        "silence: soon",
        "approvals: many",
        "verify: look at the wall",
        "repository: https://example.org/shop",
    ],
)
def test_ad1_a_known_name_above_a_list_that_is_not_taken_is_told_with_its_line(line: str) -> None:
    reading = reading_of(f"---\ntitle: Paint\n{line}\n---\n- [ ] Buy\n- [ ] Sand\n")
    (told,) = (one for one in reading.findings if one.code == "front-matter-as-text")
    assert told.line == 3
    assert told.fix
    assert reading.plan is not None
    assert line in reading.plan.summary
