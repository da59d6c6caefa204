"""Lists of work as JSON, in the shapes that coding agents and people write (WF-2, AD-1)."""

import json
from typing import Any

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import TaskStatus

_ONE = {"id": "1", "subject": "Pack", "description": "All of it", "status": "completed"}
_TWO = {"id": "2", "subject": "Load", "activeForm": "Loading", "status": "pending", "blockedBy": ["1"]}


def plan_of(text: str) -> Plan:
    reading = read(text, frozenset())
    assert reading.plan, [found.message for found in reading.findings]
    return reading.plan


def titles(plan: Plan) -> list[str]:
    return [step.title for step in plan.steps()]


def needs(plan: Plan) -> list[list[str]]:
    return [[need.key for need in step.needs] for step in plan.steps()]


@pytest.mark.parametrize("value", [[_ONE, _TWO], {"tasks": [_ONE, _TWO]}, {"todos": [_ONE, _TWO]}])
@pytest.mark.parametrize("indent", [None, 2])
def test_ad1_tasks_of_a_coding_agent_wait_for_what_blocks_them(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert titles(plan_of(text)) == ["Pack", "Load"]
    assert needs(plan_of(text)) == [[], ["1"]]
    assert [one.status for one in read(text, frozenset()).progress] == [TaskStatus.COMPLETE]


def test_ad1_what_a_task_blocks_waits_for_it() -> None:
    one, two = {**_ONE, "blocks": ["2"]}, {**_TWO, "blockedBy": []}
    assert needs(plan_of(json.dumps([one, two]))) == [[], ["1"]]


def test_ad1_a_blocker_that_is_not_there_blocks() -> None:
    findings = read(json.dumps([{**_TWO, "blockedBy": ["9"]}]), frozenset()).findings
    assert [found.code for found in findings if found.blocks] == ["unknown-dependency"]


@pytest.mark.parametrize(
    "value",
    [
        {"steps": ["Pack", "Load"]},
        {"tasks": ["Pack", "Load"]},
        {"steps": [{"title": "Pack"}, {"name": "Load"}]},
        {"phases": [{"name": "One", "tasks": ["Pack"]}, {"name": "Two", "steps": [{"title": "Load"}]}]},
        {"plan": "Move", "stages": [{"title": "One", "steps": [{"task": "Pack"}, "Load"]}]},
        ["Pack", "Load"],
        [{"title": "Pack", "status": "done"}, {"title": "Load", "status": "open"}],
    ],
)
def test_wf2_json_in_the_shape_of_yaml_is_read(value: Any) -> None:
    assert titles(plan_of(json.dumps(value, indent=1))) == ["Pack", "Load"]


def test_ad1_steps_of_json_phases_wait_by_id() -> None:
    first, second = {"id": "pack", "title": "Pack it"}, {"title": "Load", "depends_on": ["pack"]}
    value = {"phases": [{"name": "One", "tasks": [first]}, {"name": "Two", "tasks": [second]}]}
    assert needs(plan_of(json.dumps(value))) == [[], ["pack"]]


def test_wf8_json_lines_with_few_fields_are_read() -> None:
    text = '{"id": 1, "title": "Pack", "status": "done"}\n{"id": 2, "title": "Load", "status": "open"}\n'
    assert titles(plan_of(text)) == ["Pack", "Load"]
    assert [one.line for one in read(text, frozenset()).progress] == [1]


@pytest.mark.parametrize("fence", ["```json", "```", "~~~"])
@pytest.mark.parametrize("behind", ["", "\nShall I go on?\n"])
def test_wf2_json_in_a_fence_is_read(fence: str, behind: str) -> None:
    value = json.dumps([_ONE, _TWO], indent=1)
    text = f"Here is the plan:\n\n{fence}\n{value}\n{fence[:3]}\n{behind}"
    assert titles(plan_of(text)) == ["Pack", "Load"]
    assert [one.line for one in read(text, frozenset()).progress] == [6]


def test_wf2_a_list_with_json_in_a_fence_stays_a_list() -> None:
    assert titles(plan_of('- [ ] Pack\n\n```json\n{"steps": ["Send it"]}\n```\n')) == ["Pack"]


@pytest.mark.parametrize(
    "value",
    [{"name": "shop", "version": "1"}, [1, 2], {"items": [{"name": "x"}]}, [{"name": "x", "url": "y"}]],
)
def test_wf2_other_json_is_no_plan(value: Any) -> None:
    assert read(json.dumps(value), frozenset()).plan is None


def test_wf2_a_list_of_texts_in_a_folder_is_no_plan() -> None:
    assert not sources_of({"words.json": b'["Pack", "Load"]'}).plans
