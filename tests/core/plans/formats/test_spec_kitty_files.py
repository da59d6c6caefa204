"""A folder of work packages is one plan: packages wait for the ones that their front matter names (WF-2)."""

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.terms import Format, TaskStatus

SHELF = """---
work_package_id: WP01
title: Shelf
dependencies: []
lane: "doing"
---
# Work Package WP01: Shelf

## Subtasks
- [x] T001 Saw the boards
- [ ] T002 Screw them together
"""
DESK = """---
work_package_id: "WP02"
title: "Desk"
dependencies: [WP01]
lane: done
---
# Desk

Put it by the window.
"""
PAINT = """---
work_package_id: WP03
title: Paint
dependencies:
  - WP01
  - WP02
---
- [ ] T003 Paint both
"""
FILES = {"kit/tasks/WP01-shelf.md": SHELF, "kit/tasks/WP02-desk.md": DESK, "kit/tasks/WP03-paint.md": PAINT}


def read_folder(files: dict[str, str]) -> Reading:
    found = sources_of({name: text.encode() for name, text in files.items()})
    (source,) = found.plans
    reading = read(source.text, frozenset())
    assert reading.plan
    assert not reading.blockers
    return reading


def needs(plan: Plan) -> dict[str, list[str]]:
    return {step.key: [need.key for need in step.needs] for step in plan.steps()}


def test_wf2_packages_of_a_folder_are_one_plan_in_the_order_of_their_dependencies() -> None:
    reading = read_folder({**FILES, "kit/tasks.md": "# Work Packages: Room\n\nA room to work in.\n"})
    assert reading.format is Format.FOLDER
    assert reading.plan
    assert reading.plan.name == "Room"
    assert needs(reading.plan) == {"T001": [], "T002": [], "WP02": ["T002"], "T003": ["T002", "WP02"]}
    assert {placed.place[:2] for placed in reading.plan.placed_steps()} == {(0, 0)}, "nothing else waits"
    states = {one.key: one.status for one in reading.progress if one.status is not TaskStatus.PENDING}
    assert states == {"T001": TaskStatus.COMPLETE, "WP02": TaskStatus.COMPLETE}
    assert "by the window" in next(step.details for step in reading.plan.steps() if step.key == "WP02")


def test_a_package_of_the_list_and_its_file_are_one() -> None:
    listed = (
        "# Work Packages: Room\n\n## Work Package WP01: Shelf\n- [ ] T001 Saw\n\n"
        "## Work Package WP02: Desk\n- [ ] T009 Put it\n"
    )
    reading = read_folder({**FILES, "kit/tasks.md": listed})
    assert reading.plan
    assert needs(reading.plan) == {"T001": [], "T002": [], "T009": ["T002"], "T003": ["T002", "T009"]}
    assert "Saw the boards" in next(reading.plan.steps()).details
    assert ("T001", TaskStatus.COMPLETE) in [(one.key, one.status) for one in reading.progress]


def test_findings_stand_on_the_lines_of_the_joined_text() -> None:
    files = {**FILES, "kit/tasks/WP03-paint.md": PAINT.replace("  - WP02", "  - WP09")}
    found = sources_of({name: text.encode() for name, text in files.items()})
    text = found.plans[0].text
    reading = read(text, frozenset())
    (finding,) = [one for one in reading.findings if one.code == "unknown-dependency"]
    assert "WP09" in finding.message
    assert finding.blocks
    assert text.split("\n")[finding.line - 1] == "- [ ] T003 Paint both"
    steps = {step.key: step.line for step in reading.plan.steps()} if reading.plan else {}
    assert text.split("\n")[steps["T003"] - 1] == "- [ ] T003 Paint both"


def test_one_package_alone_has_its_title_and_its_state() -> None:
    reading = read(DESK, frozenset())
    assert reading.plan
    assert [(step.key, step.title) for step in reading.plan.steps()] == [("WP02", "Desk")]
    assert [one.status for one in reading.progress] == [TaskStatus.COMPLETE]
