"""Files as people, merges and other tools leave them: read with findings, no task lost.

Hostile ones soon ended.
"""

import random

import pytest

from orchestrator.core.plans.checks.read import read as read_checked
from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.text.lines import LineKind, scan, split_lines, without_code
from orchestrator.core.plans.text.source import MAX_BYTES
from orchestrator.core.terms import Format, TaskStatus
from tests.core.plans.formats.mutations import mutated
from tests.core.plans.formats.samples import (
    BACKLOG,
    BEADS,
    PLAN,
    SAMPLES,
    SPEC_KIT,
    TASK_MASTER,
    TASKS,
    TASKS_MD,
)


def read(source: str) -> tuple[Plan, Reading]:
    reading = READERS[recognise(source)](source)
    assert reading.plan is not None
    return reading.plan, reading


def keys(plan: Plan) -> list[str]:
    return [step.key for step in plan.steps()]


def needs(plan: Plan) -> dict[str, list[str]]:
    return {step.key: [need.key for need in step.needs] for step in plan.steps()}


def lines(reading: Reading, code: str) -> list[int]:
    return [finding.line for finding in reading.findings if finding.code == code]


def states(reading: Reading) -> dict[str, TaskStatus]:
    return {one.key: one.status for one in reading.progress}


class TestState:
    """WF-8: how far the work is stands beside the plan, in our words."""

    def test_wf8_ticks_of_our_own_plan(self) -> None:
        assert states(READERS[Format.PLAN](PLAN)) == {"01.01.03.01": TaskStatus.COMPLETE}

    def test_wf8_boxes_of_tasks_md(self) -> None:
        reading = read(TASKS_MD)[1]
        assert [(one.key, one.status, one.agent, one.line) for one in reading.progress] == [
            ("01.01.01.01", TaskStatus.COMPLETE, "backend", 9),
            ("01.01.01.02", TaskStatus.ACTIVE, "backend", 11),
            ("01.01.02.01", TaskStatus.BLOCKED, "", 15),
            ("01.01.02.02", TaskStatus.CANCELLED, "", 16),
            ("01.01.02.03", TaskStatus.PENDING, "writer", 17),
        ]
        assert reading.progress[0].report == "Done in one go."

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("in_progress", TaskStatus.ACTIVE),
            ("In Progress", TaskStatus.ACTIVE),
            ("completed", TaskStatus.COMPLETE),
            ("closed", TaskStatus.COMPLETE),
            ("success", TaskStatus.COMPLETE),
            ("needs_review", TaskStatus.REVIEW),
            ("blocked", TaskStatus.BLOCKED),
            ("cancelled", TaskStatus.CANCELLED),
        ],
    )
    def test_wf8_words_of_other_tools_map_to_ours(self, word: str, status: TaskStatus) -> None:
        assert states(read(TASKS.replace("in_progress", word))[1])["01.01.02.01"] is status

    def test_wf8_a_word_that_nobody_knows_is_told_and_means_open(self) -> None:
        reading = read(TASKS.replace("in_progress", "parked"))[1]
        assert "01.01.02.01" not in states(reading)
        assert lines(reading, "unreadable-value") == [5]

    @pytest.mark.parametrize("source", [SPEC_KIT, TASK_MASTER, BEADS, BACKLOG, TASKS, TASKS_MD, PLAN])
    def test_wf8_the_submitter_is_told_what_can_be_done_with_the_state(self, source: str) -> None:
        reading = READERS[recognise(source)](source)
        assert TaskStatus.COMPLETE in states(reading).values()
        found = [finding for finding in reading.findings if finding.code == "work-in-progress"]
        assert found
        assert all("Submit the plan with its state" in finding.fix for finding in found)


class TestSpecKit:
    def test_a_second_task_with_the_same_id_is_kept(self) -> None:
        plan, reading = read(SPEC_KIT.replace("**T005**", "**T004**"))
        assert "T004-2" in keys(plan)
        assert lines(reading, "duplicate-id") == [20]

    def test_words_that_say_done_are_state_and_no_title(self) -> None:
        source = SPEC_KIT.replace("Store in `tracking/store.py`", "Store — ✅ (merged)")
        plan, reading = read(source.replace("Setup (Shared)", "Setup — ✅ COMPLETED (2026-02-03)"))
        assert plan.stages[0].name == "Phase 1: Setup"
        assert next(step.title for step in plan.steps() if step.key == "T003") == "Store"
        assert next(one.report for one in reading.progress if one.key == "T003") == "merged"

    def test_boxes_behind_the_id_and_short_story_labels(self) -> None:
        plan, reading = read("# Tasks: A\n## Phase 3.1: X\n- [x] T001 a\n- T027 [X] [S1] [P] b\n")
        assert keys(plan) == ["T001", "T027"]
        assert states(reading)["T027"] is TaskStatus.COMPLETE
        assert [(step.title, step.parallel) for step in plan.steps()] == [("a", False), ("b", True)]

    def test_stories_that_wait_for_one_another(self) -> None:
        stories = (
            "## Phase 1: User Story 1\n- [ ] T001 [US1] a\n## Phase 2: User Story 2\n- [ ] T002 [US2] b\n"
        )
        plan, reading = read(
            f"# Tasks: A\n{stories}## Dependencies\n- US2 depends on US1\n- US1 depends on US2\n"
        )
        assert needs(plan) == {"T001": [], "T002": []}, "the phases say it already"
        assert lines(reading, "inferred-needs") == [7]
        assert lines(reading, "unreadable-value") == [8], "US1 stands first"

    def test_stories_in_one_phase_become_dependencies(self) -> None:
        plan, _ = read(
            "# Tasks: A\n## Phase 1: X\n- [ ] T001 [US1] a\n- [ ] T002 [US2] b\n\nUS2 depends on US1 (x)\n"
        )
        assert needs(plan)["T002"] == ["T001"]

    def test_phases_that_could_run_side_by_side_are_told(self) -> None:
        _, reading = read(SPEC_KIT + "- US1 and US2 can start in parallel\n")
        assert lines(reading, "inferred-stage")

    def test_a_checkpoint_with_a_tick(self) -> None:
        assert "CP1" in keys(read(SPEC_KIT.replace("**Checkpoint**", "**✓ Checkpoint**"))[0])


class TestTrackers:
    def test_task_master_ids_twice_and_missing(self) -> None:
        plan, reading = read(
            '{"tasks": [{"id": 1, "title": "a"}, {"id": "1", "title": "b"}, {"title": "c"}]}'
        )
        assert sorted(keys(plan)) == ["1", "1-2", "task-03"]
        assert lines(reading, "duplicate-id") == [1]
        assert lines(reading, "inferred-key")

    def test_task_master_subtask_that_waits_for_a_task_outside(self) -> None:
        subtask = '{"id": 1, "title": "s", "dependencies": [7]}'
        plan, reading = read(
            f'{{"tasks": [{{"id": 7, "title": "a"}}, {{"id": 8, "title": "b", "subtasks": [{subtask}]}}]}}'
        )
        assert needs(plan)["8.1"] == ["7"]
        assert not reading.blockers

    def test_beads_versions_that_a_merge_left(self) -> None:
        row = '{{"id":"a","title":"{0}","priority":1,"status":"open","updated_at":"{1}"}}'
        old, mid, new = (row.format(*one) for one in (("old", "1"), ("mid", "2"), ("new", "3")))
        source = f"{old}\n<<<<<<< x\n{new}\n=======\n{mid}\n>>>>>>> y"
        plan, reading = read(source)
        assert [step.title for step in plan.steps()] == ["new"]
        assert lines(reading, "duplicate-id") == [3, 5]
        assert lines(reading, "conflict-marker") == [2, 4, 6]
        assert not reading.blockers

    def test_beads_tombstones_and_links_that_do_not_block(self) -> None:
        plan, reading = read(
            BEADS.replace(
                '"type":"blocks"},{"depends_on_id":"shop-9"', '"type":"related"},{"depends_on_id":"shop-9"'
            )
        )
        assert needs(plan)["shop-1.2"] == []
        assert "related: shop-1.1" in next(step.details for step in plan.steps() if step.key == "shop-1.2")
        assert lines(reading, "left-out") == [0]

    def test_backlog_prefixes_folded_titles_and_boxes_of_notes(self) -> None:
        source = BACKLOG.replace("title: 'Labels: print them'", "title: >-\n  Labels:\n  print them")
        source = source.replace("task-6", "TEAM-6").replace(
            "Body\n", "## Implementation Notes\n- [x] try it\n"
        )
        plan, _ = read(source)
        assert needs(plan)["BACK-7"] == ["BACK-6"]
        assert {step.key: step.title for step in plan.steps()}["BACK-7"] == "Labels: print them"
        assert next(step for step in plan.steps() if step.key == "BACK-6").exit == ()

    @pytest.mark.parametrize(
        "more", ["  - Role: contributor", "**Tasks:**", "##### Gate: Review", "# Plan: Ledger"]
    )
    def test_a_plan_of_ours_with_boxes_is_no_tasks_md(self, more: str) -> None:
        assert recognise(TASKS_MD) is Format.TASKS_MD
        assert recognise(f"{TASKS_MD}{more}\n") is Format.PLAN

    def test_a_tasks_json_without_numbers_is_sorted_by_its_names(self) -> None:
        plan, _ = read(
            TASKS.replace("01.01.01.01", "A1").replace("01.01.02.01", "A2").replace("02.01.01.01", "A3")
        )
        assert [placed.place for placed in plan.placed_steps()] == [(0, 0, 0, 0), (0, 0, 1, 0), (1, 0, 0, 0)]


@pytest.mark.parametrize("name", [one for one in Format if one is not Format.PLAN])
@pytest.mark.parametrize(
    "source",
    [
        *(
            "[" * 100_000,
            '{"a":' * 100_000,
            '{"id": NaN, "title": "x", "priority": 1}',
            "[1e999]",
            "[" + "9" * 10_000 + "]",
        ),
        *(
            '{"tasks": [{"id": 1, "id": 2, "title": "x"}]}',
            "\ufeff",
            "---\nid: *a\ntitle: !!python/object x\nstatus: &a b\n---\n",
        ),
        *(
            "- [ ] T001 " + " " * 500_000 + "x",
            "- [ ] T001 " + "✅ " * 100_000,
            "- [ ] Task 01.01.01.01: \u202etxt",
            "# \u202e",
        ),
        *(
            "<!-- file: a -->\n" * 50_000,
            "- [ ] T001 [P]\n" * 30_000,
            "US1 depends on " * 30_000 + "\n- [ ] T001 x",
        ),
        '{"schemaVersion": "1.0", "plan": ' + "{}" * 10 + "}",
    ],
    ids=range(16),
)
def test_b11_to_b22_hostile_sources_end_in_findings(name: Format, source: str) -> None:
    reading = READERS[name](source[:MAX_BYTES])
    assert reading.plan is not None or any(finding.blocks for finding in reading.findings)


def test_b16_aliases_and_tags_of_yaml_are_refused_with_their_line() -> None:
    reading = READERS[Format.BACKLOG](BACKLOG.replace("status: To Do", "status: *anchor"))
    assert lines(reading, "front-matter") == [4]


def test_b8_hidden_characters_are_told_whatever_the_format() -> None:
    reading = read_checked(TASKS.replace("Page", "Pa\u202ege"), frozenset())
    assert lines(reading, "deceiving-characters") == [5]


@pytest.mark.parametrize("shape", sorted(SAMPLES))
def test_a_text_without_its_code_is_what_the_scanner_leaves(shape: str) -> None:
    for seed in range(25):
        chance = random.Random(seed)
        blocks = "\n```markdown\n```py\nx\n```\n<!-- a\n```\n"
        text = mutated(SAMPLES[shape] + blocks, chance).removeprefix("\ufeff").replace("\r", "\n")
        kept = [line for line in without_code(text).split("\n") if line.strip()]
        lines = scan(split_lines(text)).lines
        assert kept == [line.raw for line in lines if line.kind is not LineKind.CODE and line.raw.strip()]
