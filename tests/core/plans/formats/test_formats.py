"""Other tools' plans are recognised from their content and read with findings, never with an exception."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.plans.checks.check import check_plan
from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import Plan, Reading, StepSpec
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.terms import Format, TaskStatus
from tests.core.plans.formats.mutations import mutated
from tests.core.plans.formats.samples import SAMPLES


def read_any(source: str, wanted: Format | None = None) -> tuple[Format, Reading]:
    found = wanted or recognise(source)
    return found, READERS[found](source)


def read(name: str) -> tuple[Plan, Reading]:
    found, reading = read_any(SAMPLES[name])
    assert found == name
    assert reading.plan is not None
    return reading.plan, reading


def steps(plan: Plan) -> dict[str, StepSpec]:
    return {step.key: step for step in plan.steps()}


def needs(step: StepSpec) -> list[str]:
    return [need.key for need in step.needs]


def codes(reading: Reading) -> dict[str, int]:
    return {finding.code: finding.line for finding in reading.findings}


class TestSpecKit:
    def test_phases_are_stages_and_checkpoints_are_gates(self) -> None:
        plan, reading = read("spec-kit")
        assert plan.name == "Parcel tracking"
        assert [stage.name for stage in plan.stages] == [
            "Phase 1: Setup (Shared)",
            "Phase 2: User Story 1 - 追踪 a parcel",
        ]
        assert list(steps(plan)) == ["T001", "T002", "T003", "CP1", "T004", "T005", "02.01.01.03"]
        assert steps(plan)["CP1"].gate is not None
        assert codes(reading)["inferred-kind"] == 13

    def test_marks_and_files_are_read(self) -> None:
        found = steps(read("spec-kit")[0])
        assert [key for key, step in found.items() if step.parallel] == ["T002", "T003", "T005"]
        assert found["T002"].files == ("tracking/model.py",)
        assert found["T004"].title == "Read the carrier's feed"
        assert "Story: US1" in found["T004"].details

    def test_dependencies_in_prose_are_inferred_and_told(self) -> None:
        plan, reading = read("spec-kit")
        assert needs(steps(plan)["T004"]) == ["T002", "T003"]
        told = [
            finding.line
            for finding in reading.findings
            if finding.code == "inferred-needs" and finding.line > 20
        ]
        assert told == [25]

    def test_prose_that_points_forward_is_left_out_with_its_line(self) -> None:
        _plan, reading = read("spec-kit")
        assert codes(reading)["unreadable-value"] == 26

    def test_ticks_are_no_state(self) -> None:
        assert codes(read("spec-kit")[1])["work-in-progress"] == 9


class TestTaskMaster:
    def test_subtasks_come_before_their_task(self) -> None:
        found = steps(read("task-master")[0])
        assert set(found) == {"1", "1.1", "1.2", "2"}
        assert needs(found["1"]) == ["1.1", "1.2"]
        assert needs(found["1.2"]) == ["1.1"]
        assert needs(found["2"]) == ["1.2", "1"]

    def test_strategy_proves_the_task_and_lines_are_known(self) -> None:
        plan, _reading = read("task-master")
        assert steps(plan)["1"].exit == ("Ten orders are read",)
        assert plan.name == "Packing"
        assert steps(plan)["2"].line == 9

    def test_broken_json_names_the_line(self) -> None:
        _found, reading = read_any(SAMPLES["task-master"].replace('"2",', '"2" "3"'))
        assert reading.plan is None
        assert codes(reading)["not-json"] == 9

    def test_two_tags_are_two_plans(self) -> None:
        source = (
            '{"a": {"tasks": [{"id": 1, "title": "x"}]}, "b": {"tasks": [{"id": 1, "title": "y", '
            '"dependencies": []}]}}'
        )
        reading = read_any(source)[1]
        assert reading.plan is None
        assert codes(reading)["several-plans"] == 1


class TestBeads:
    def test_an_epic_ends_with_its_issues(self) -> None:
        found = steps(read("beads")[0])
        assert needs(found["shop-1"]) == ["shop-1.1", "shop-1.2"]
        assert needs(found["shop-1.2"]) == ["shop-1.1"], "a tombstone blocks nobody"
        assert found["shop-1.1"].exit == ("sums up", "empties")

    def test_what_is_not_an_issue_is_named_by_line(self) -> None:
        found = codes(read("beads")[1])
        assert found["conflict-marker"] == 2
        assert found["line-left-out"] == 6


class TestBacklog:
    def test_several_files_in_one_source(self) -> None:
        found = steps(read("backlog")[0])
        assert found["BACK-7"].title == "Labels: print them"
        assert needs(found["BACK-7"]) == ["BACK-6"], "an old prefix in a link is the same task"
        assert found["BACK-7"].exit == ("A label comes out", "It can be read")
        assert "Print the labels." in found["BACK-7"].details
        assert "SECTION" not in found["BACK-7"].details


class TestBundle:
    def test_tasks_in_order_with_tool_files_and_limit(self) -> None:
        plan, _reading = read("bundle-ws")
        assert [step.title for step in plan.steps()] == ["Add the table", "Write entries", "Acceptance tests"]
        assert {step.tool for step in plan.steps()} == {"pytest"}
        assert {step.max_attempts for step in plan.steps()} == {3}
        assert plan.stages[0].batches[0].threads[0].files == ("ledger/**", "ledger/new.py")
        assert (plan.needs, plan.priority, plan.owner) == (("ws-09-base",), 2, "ledger-team")
        assert list(plan.steps())[-1].exit == ("Entries add up",)

    def test_fields_without_a_meaning_are_kept_as_text(self) -> None:
        plan, reading = read("bundle-ws")
        assert "openspec_change: OS-4" in plan.summary
        assert {step.resources for step in plan.steps()} == {("db",)}, (
            "a conflict group never runs side by side"
        )
        assert "kept-as-text" in codes(reading)


class TestTasks:
    def test_structure_comes_from_the_names(self) -> None:
        plan, reading = read("tasks")
        assert [placed.place for placed in plan.placed_steps()] == [(0, 0, 0, 0), (0, 0, 1, 0), (1, 0, 0, 0)]
        assert [(one.key, one.status, one.report) for one in reading.progress] == [
            ("01.01.01.01", TaskStatus.COMPLETE, "Done in one go."),
            ("01.01.02.01", TaskStatus.ACTIVE, ""),
        ]
        assert "work-in-progress" in codes(reading)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_recognised_and_scheduled_to_its_end(name: str) -> None:
    assert recognise(SAMPLES[name]) == name
    plan, _reading = read(name)
    assert len(preview(plan).launch_order) == len(list(plan.steps()))
    assert not [finding for finding in check_plan(plan, frozenset({"pytest"})) if finding.blocks]


@given(
    name=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 10**9), wanted=st.sampled_from([None, *Format])
)
@settings(max_examples=300, deadline=None)
def test_mutated_sources_give_findings_never_an_exception(
    name: str, seed: int, wanted: Format | None
) -> None:
    _found, reading = read_any(mutated(SAMPLES[name], random.Random(seed)), wanted)
    if reading.plan is None:
        assert any(finding.blocks for finding in reading.findings)
    else:
        check_plan(reading.plan, frozenset())
