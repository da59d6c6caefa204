"""What starts when: dependencies without batches, written batches, finished work that is kept (BX-4, AD-1).

The small plans under `cases/` stand for what people met; each has others of its kind beside it.
"""

import json
from pathlib import Path
from time import process_time

import pytest

from orchestrator.core.changes.adoption import AdoptedAs, adoption_of
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.circles import circles
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.formats.plan_file_text import render_plan_file
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format

CASES = Path(__file__).parent / "cases"
NONE: frozenset[str] = frozenset()


def reading_of(source: str | bytes) -> Reading:
    reading = read(source, NONE)
    assert reading.plan, [finding.message for finding in reading.findings]
    return reading


def case(number: str) -> Reading:
    (path,) = CASES.glob(f"{number}-*")
    if path.is_dir():
        files = {one.name: one.read_bytes() for one in sorted(path.iterdir())}
        (plan,) = sources_of(files).plans
        return reading_of(plan.text)
    return reading_of(path.read_bytes())


def needs(reading: Reading) -> dict[str, list[str]]:
    assert reading.plan
    return {step.key: [need.key for need in step.needs] for step in reading.plan.steps()}


def starts(reading: Reading) -> tuple[str, ...]:
    """What starts first, with the state of the source taken over."""
    assert reading.plan
    return preview(reading.plan, 100, adoption_of(reading).ended).starts


def lines(reading: Reading, code: str) -> list[int]:
    return [finding.line for finding in reading.findings if finding.code == code]


def becomes(reading: Reading) -> dict[str, AdoptedAs]:
    return {one.key: one.becomes for one in adoption_of(reading).verdicts}


def tasks(*rows: tuple[object, str, list[object]]) -> str:
    """A task-master file of (id, status, dependencies)."""
    listed = [
        {"id": key, "title": f"Do {key}", "status": status, "dependencies": wanted}
        for key, status, wanted in rows
    ]
    return json.dumps({"tasks": listed}, indent=1)


def issue(key: str, status: str = "open", links: dict[str, str] | None = None, **more: str) -> str:
    named = [{"depends_on_id": other, "type": kind} for other, kind in (links or {}).items()]
    return json.dumps(
        {"id": key, "title": more.pop("title", f"Do {key}"), "priority": 1, "issue_type": "task"}
        | {"status": status, "dependencies": named}
        | more
    )


def backlog(*rows: tuple[str, list[str], str]) -> str:
    """Backlog.md tasks of (id, dependencies, parent)."""
    return "".join(
        f"---\nid: {key}\ntitle: Do {key}\nstatus: To Do\ndependencies: {json.dumps(wanted)}\n"
        f"parent_task_id: {parent}\n---\nText\n"
        for key, wanted, parent in rows
    )


class TestTrackersHaveNoBatches:
    def test_bx4_case_67_what_depends_on_nothing_holds_nobody_up(self) -> None:
        reading = case("67")
        assert starts(reading) == ("1", "2")
        assert needs(reading)["3"] == ["2"]
        assert reading.plan
        assert [len(stage.batches) for stage in reading.plan.stages] == [1]
        assert lines(reading, "order-by-needs") == [1]

    def test_bx4_case_82_independent_issues_start_at_once(self) -> None:
        reading = case("82")
        assert starts(reading) == ("b-1", "b-2")
        assert becomes(reading) == {"b-3": AdoptedAs.COMPLETE}

    @pytest.mark.parametrize(
        "source",
        [
            tasks((1, "pending", []), (2, "pending", []), (3, "pending", [2]), (4, "pending", [3])),
            "\n".join(
                [
                    issue("1"),
                    issue("2"),
                    issue("3", "open", {"2": "blocks"}),
                    issue("4", "open", {"3": "blocks"}),
                ]
            ),
            backlog(("T-1", [], ""), ("T-2", [], ""), ("T-3", ["T-2"], ""), ("T-4", ["T-3"], "")),
        ],
        ids=["task-master", "beads", "backlog"],
    )
    def test_bx4_a_later_wave_waits_for_what_it_names_and_for_nothing_else(self, source: str) -> None:
        reading = reading_of(source)
        assert reading.plan
        keys = [step.key for step in reading.plan.steps()]
        assert starts(reading) == (keys[0], keys[1])
        launches = preview(reading.plan, 100).launches
        assert launches == ((keys[0], keys[1]), (keys[2],), (keys[3],))
        assert all(step.parallel for step in reading.plan.steps())

    def test_bx4_waves_of_a_tracker_are_no_barriers(self) -> None:
        """With 2 done and 1 open, 3 is ready: the wave before it has not ended."""
        reading = reading_of(tasks((1, "pending", []), (2, "done", []), (3, "pending", [2])))
        assert starts(reading) == ("1", "3")

    def test_bx4_a_tracker_written_as_plan_md_keeps_its_order(self) -> None:
        plan = case("67").plan
        assert plan
        assert read_plan(render_plan(plan)).plan == plan

    def test_bx4_lists_in_prose_stay_in_order(self) -> None:
        reading = reading_of("# Wall\n\n- [ ] Sand it\n- [ ] Paint it\n- [ ] Wait a day\n")
        assert starts(reading) == ("1",)


class TestFinishedWork:
    def test_ad1_case_08_a_finished_circle_is_told_and_holds_nothing(self) -> None:
        reading = case("08")
        assert not reading.blockers
        assert lines(reading, "finished-dependency")
        assert becomes(reading) == {"1": AdoptedAs.COMPLETE, "2": AdoptedAs.COMPLETE}
        assert starts(reading) == ("3",)

    def test_ad1_case_81_only_what_is_open_is_left(self) -> None:
        reading = case("81")
        assert becomes(reading) == {"1": AdoptedAs.COMPLETE, "2": AdoptedAs.COMPLETE}
        assert starts(reading) == ("3",)

    @pytest.mark.parametrize("wanted", [["9"], ["1"], ["2.7"]])
    def test_ad1_an_unknown_dependency_of_finished_work_is_told(self, wanted: list[object]) -> None:
        reading = reading_of(tasks((1, "done", wanted), (2, "cancelled", ["nowhere"]), (3, "pending", [1])))
        assert not reading.blockers
        assert len(lines(reading, "finished-dependency")) == 2
        assert starts(reading) == ("3",)

    def test_ad1_a_circle_of_three_and_a_chain_behind_it(self) -> None:
        rows = [
            (1, "done", [3]),
            (2, "done", [1]),
            (3, "done", [2]),
            (4, "done", [3]),
            (5, "pending", [4, 1]),
        ]
        reading = reading_of(tasks(*rows))  # type: ignore[arg-type]
        assert not reading.blockers
        assert len(lines(reading, "finished-dependency")) == 1
        assert starts(reading) == ("5",)

    @pytest.mark.parametrize("statuses", [("done", "pending"), ("pending", "done"), ("pending", "pending")])
    def test_ad1_a_circle_with_open_work_in_it_still_blocks(self, statuses: tuple[str, str]) -> None:
        reading = reading_of(tasks((1, statuses[0], [2]), (2, statuses[1], [1])))
        assert "dependency-cycle" in {finding.code for finding in reading.blockers}

    def test_ad1_an_unknown_dependency_of_open_work_still_blocks(self) -> None:
        reading = reading_of(tasks((1, "done", []), (2, "pending", [9])))
        assert [finding.code for finding in reading.blockers] == ["unknown-dependency"]

    def test_wf8_one_key_twice_among_finished_steps_of_a_plan(self) -> None:
        head = "# Plan: A\n### Stage 1: x\n##### Batch 01: y\n###### Thread 01: z\n"
        both = reading_of(f"{head}- [x] A1: one\n- [x] A1: two\n- [ ] A2: three (needs A1)\n")
        assert not both.blockers
        assert list(needs(both)) == ["A1", "A1-2", "A2"]
        assert lines(both, "duplicate-id") == [6]
        assert starts(both) == ("A2",)
        half = reading_of(f"{head}- [x] A1: one\n- [ ] A1: two\n")
        assert [finding.code for finding in half.blockers] == ["duplicate-key"]

    def test_wf8_finished_steps_of_a_plan_that_wait_for_one_another(self) -> None:
        head = "# Plan: A\n### Stage 1: x\n##### Batch 01: y\n###### Thread 01: z\n"
        reading = reading_of(f"{head}- [x] A1: one (needs A2)\n- [x] A2: two (needs Z9)\n- [ ] A3: three\n")
        assert not reading.blockers
        assert lines(reading, "finished-dependency") == [5, 6]
        assert starts(reading) == ("A3",)

    def test_wf8_a_tick_in_a_list_stands_although_the_one_before_it_is_open(self) -> None:
        reading = reading_of("# Wall\n\n- [ ] Sand it\n- [x] Buy paint\n- [ ] Paint it\n")
        assert becomes(reading) == {"2": AdoptedAs.COMPLETE}
        assert starts(reading) == ("1",)

    def test_wf8_what_was_finished_before_its_own_needs_is_done_again(self) -> None:
        assert becomes(reading_of(tasks((1, "pending", []), (2, "done", [1])))) == {"2": AdoptedAs.AGAIN}

    def test_wf8_derived_batches_do_nothing_again_either(self) -> None:
        source = "# Plan: A\n- [ ] A1: one\n- [x] B1: two\n- [x] B2: three (needs B1)\n"
        assert becomes(reading_of(source)) == {"B1": AdoptedAs.COMPLETE, "B2": AdoptedAs.COMPLETE}

    def test_wf8_written_batches_still_do(self) -> None:
        head = "# Plan: A\n### Batch 1\n- [ ] A1: one\n### Batch 2\n- [x] B1: two\n"
        assert becomes(reading_of(head)) == {"B1": AdoptedAs.AGAIN}


class TestSubtasks:
    def test_ad1_case_28_a_child_blocked_by_its_epic_starts(self) -> None:
        reading = case("28")
        assert not reading.blockers
        assert needs(reading) == {"sh-1": ["sh-1.1"], "sh-1.1": []}
        assert lines(reading, "part-needs-whole") == [2]
        assert starts(reading) == ("sh-1.1",)

    def test_ad1_case_31_a_backlog_subtask_that_depends_on_its_parent_starts(self) -> None:
        reading = case("31")
        assert not reading.blockers
        assert starts(reading) == ("BACK-1.1",)

    def test_ad1_a_grandchild_that_names_the_whole_of_its_whole(self) -> None:
        links = [{"e-1": "parent-child"}, {"e-2": "parent-child", "e-1": "blocks"}]
        reading = reading_of(
            "\n".join([issue("e-1"), issue("e-2", "open", links[0]), issue("e-3", "open", links[1])])
        )
        assert not reading.blockers
        assert starts(reading) == ("e-3",)
        assert needs(reading) == {"e-1": ["e-2"], "e-2": ["e-3"], "e-3": []}

    def test_ad1_a_task_master_subtask_that_names_its_parent_by_number(self) -> None:
        below = {"id": 1, "title": "Part", "dependencies": [12], "status": "pending"}
        whole = {"id": 12, "title": "Whole", "dependencies": [], "status": "pending", "subtasks": [below]}
        reading = reading_of(json.dumps({"tasks": [whole]}))
        assert not reading.blockers
        assert needs(reading) == {"12": ["12.1"], "12.1": []}

    def test_ad1_what_a_child_inherits_closes_no_circle(self) -> None:
        """The epic waits for a task that waits for the epic's own child: the child goes first."""
        rows = [("P-1", ["P-2"], ""), ("P-1.1", [], "P-1"), ("P-2", ["P-1.1"], "")]
        reading = reading_of(backlog(*rows))
        assert not reading.blockers
        assert needs(reading) == {"P-1": ["P-2", "P-1.1"], "P-1.1": [], "P-2": ["P-1.1"]}

    def test_ad1_a_child_that_waits_for_a_task_behind_its_parent(self) -> None:
        """P-1.1 waits for P-2, which waits for P-1: then P-1 cannot wait for its own part."""
        reading = reading_of(backlog(("P-1", [], ""), ("P-1.1", ["P-2"], "P-1"), ("P-2", ["P-1"], "")))
        assert not reading.blockers
        assert starts(reading) == ("P-1",)

    def test_ad1_subtasks_wait_for_what_their_parent_waits_for_however_they_are_listed(self) -> None:
        rows = [("P-3.1.1", [], "P-3.1"), ("P-3.1", [], "P-3"), ("P-3", ["P-9"], ""), ("P-9", [], "")]
        assert starts(reading_of(backlog(*rows))) == ("P-9",)

    def test_ad1_parents_in_a_circle_are_read(self) -> None:
        assert not reading_of(backlog(("P-1", [], "P-2"), ("P-2", [], "P-1"))).blockers


class TestOddStates:
    @pytest.mark.parametrize(
        "source",
        [
            tasks(("a", "deferred", []), ("b", "pending", ["a"])),
            "\n".join([issue("a", "deferred"), issue("b", "open", {"a": "blocks"})]),
        ],
        ids=["task-master", "beads"],
    )
    def test_wf8_what_is_deferred_does_not_start_and_holds_nobody_up(self, source: str) -> None:
        reading = reading_of(source)
        assert starts(reading) == ("b",)
        (one,) = adoption_of(reading).verdicts
        assert (one.key, one.becomes, one.breadcrumb) == (
            "a",
            AdoptedAs.SKIPPED,
            "The source has put it off: deferred.",
        )

    def test_two_issues_under_one_id_are_both_kept(self) -> None:
        reading = reading_of("\n".join([issue("a", title="Paint"), issue("a", title="Print"), issue("b")]))
        assert reading.plan
        assert [(step.key, step.title) for step in reading.plan.steps()] == [
            ("a", "Paint"),
            ("a-2", "Print"),
            ("b", "Do b"),
        ]
        assert lines(reading, "duplicate-id") == [2]
        assert not reading.blockers

    def test_two_issues_made_at_different_times_are_two_although_their_titles_agree(self) -> None:
        made = [issue("a", created_at=f"2026-0{month}-01T00:00:00Z") for month in (1, 2)]
        assert list(needs(reading_of("\n".join(made)))) == ["a", "a-2"]

    def test_versions_of_one_issue_are_one(self) -> None:
        made = [
            issue("a", title=title, created_at="2026-01-01T00:00:00Z", updated_at=f"2026-02-0{day}")
            for day, title in ((2, "New"), (1, "Old"))
        ]
        reading = reading_of("\n".join(made))
        assert reading.plan
        assert [step.title for step in reading.plan.steps()] == ["New"]
        assert lines(reading, "duplicate-id") == [2]


FREE = """---
order: dependencies
---
# Plan: Free

- A1: Measure
- A2: Saw (needs A1)
- A3: Glue
- B1: Ask the neighbours
- C1: Sweep (needs B1)

### Merge Point MP1
- **Trigger:** A2 complete
- **Unlocks:** A3
"""


class TestOrderOfFrontMatter:
    def test_bx4_dependencies_alone_give_the_order_and_a_gate_waits_for_what_it_names(self) -> None:
        reading = reading_of(FREE)
        assert not reading.blockers
        assert reading.plan
        assert reading.plan.by_needs
        assert [len(stage.batches) for stage in reading.plan.stages] == [1]
        launches = [sorted(keys) for keys in preview(reading.plan, 100).launches]
        assert launches == [["A1", "B1"], ["A2", "C1"], ["MP1"], ["A3"]]

    def test_bx4_without_the_key_batches_are_derived_as_before(self) -> None:
        source = FREE.replace("order: dependencies", "order: batches")
        reading = reading_of(source)
        assert reading.plan
        assert not reading.plan.by_needs
        assert len(reading.plan.stages[0].batches) > 2
        assert lines(reading, "inferred-levels")

    def test_bx4_batches_that_the_plan_writes_stay_barriers(self) -> None:
        source = (
            "---\norder: dependencies\n---\n# Plan: A\n### Batch 1\n- A1: x\n- B1: y\n### Batch 2\n- C1: z\n"
        )
        reading = reading_of(source)
        assert reading.plan
        assert preview(reading.plan, 100).launches == (("A1", "B1"), ("C1",))

    @pytest.mark.parametrize("more", ["", "\n##### Batch 02: end\n\n###### Thread 01: x\n- D1: Rest\n"])
    def test_bx4_the_key_is_written_and_read_back(self, more: str) -> None:
        plan = reading_of(FREE + more).plan
        assert plan
        text = render_plan(plan)
        assert "order: dependencies" in text
        assert read_plan(text).plan == plan
        assert reading_of(render_plan_file(plan)).plan == plan

    def test_bx4_a_gate_that_names_nothing_waits_for_what_stands_before_it(self) -> None:
        reading = reading_of(FREE.replace("- **Trigger:** A2 complete\n", ""))
        assert needs(reading)["MP1"] == ["A1", "A2", "B1", "C1"]
        assert reading.plan
        assert read_plan(render_plan(reading.plan)).plan == reading.plan

    def test_bx4_a_gate_with_a_tool_runs_it_first(self) -> None:
        reading = reading_of(
            FREE.replace("- **Unlocks:** A3\n", "- **Unlocks:** A3\n- Tool: pytest\n- Run: `-q`\n")
        )
        assert reading.plan
        assert "MP1.run" in needs(reading)
        assert read_plan(render_plan(reading.plan)).plan == reading.plan
        assert reading_of(render_plan_file(reading.plan)).plan == reading.plan

    def test_another_order_is_told_with_its_line(self) -> None:
        reading = read(FREE.replace("order: dependencies", "order: whatever"), NONE)
        assert ("front-matter", 2) in [(finding.code, finding.line) for finding in reading.blockers]


def test_circles_are_found_however_deep() -> None:
    chain = {str(n): [str(n + 1)] for n in range(20_000)}
    assert circles(chain) == []
    assert circles({**chain, "20000": ["0"]}) == [frozenset(map(str, range(20_001)))]
    assert circles({"a": ["a"], "b": ["c"], "c": ["b", "gone"], "d": ["b"]}) == [
        frozenset("a"),
        frozenset("bc"),
    ]


def _task_master(count: int, status: str) -> str:
    return tasks(*((n, status, [n - 1, n // 2] if n else []) for n in range(count)))


def _beads(count: int, status: str) -> str:
    return "\n".join(
        issue(f"i-{n}", status, {f"i-{n // 10}": "parent-child", f"i-{n // 2}": "blocks"} if n > 9 else {})
        for n in range(count)
    )


def _backlog(count: int, status: str) -> str:
    rows = ((f"T-{n}", [f"T-{n - 1}"] if n else [], f"T-{n // 10}" if n > 9 else "") for n in range(count))
    return backlog(*rows).replace("To Do", status)


@pytest.mark.parametrize("status", ["pending", "done"])
@pytest.mark.parametrize(
    ("make", "form"),
    [(_task_master, Format.TASK_MASTER), (_beads, Format.BEADS), (_backlog, Format.BACKLOG)],
    ids=["task-master", "beads", "backlog"],
)
def test_reading_ten_thousand_tasks_takes_no_more_than_in_proportion(
    make: object, form: Format, status: str
) -> None:
    """Half as many take about half as long: nothing is compared with everything."""

    def took(count: int) -> float:
        source = make(count, status)  # type: ignore[operator]
        started = process_time()
        reading = read(source, NONE)
        spent = process_time() - started
        assert reading.format is form
        assert reading.plan
        return spent

    took(100)
    half = min(took(2_500) for _ in range(2))
    assert took(5_000) < 3.2 * half + 0.1


def test_plan_values_of_a_tracker_hold_no_state() -> None:
    states: list[Plan | None] = [
        reading_of(tasks((1, status, []), (2, "pending", [1]))).plan for status in ("pending", "done")
    ]
    assert states[0] == states[1]
