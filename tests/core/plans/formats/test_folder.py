"""Several files as one plan: what belongs together, what is left out, and what differs between them (WF-7,
WF-8).
"""

import pytest

from orchestrator.core.plans.checks.check import check_plan
from orchestrator.core.plans.checks.read import read as read_checked
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.formats.framework import join
from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format, TaskStatus
from tests.core.plans.formats.samples import (
    BACKLOG,
    BEADS,
    BUNDLE_WS,
    FOLDER_FILES,
    INDEX,
    PLAN_FILE,
    SPEC_KIT,
    TASKS,
)


def read(files: dict[str, str]) -> Reading:
    text = join(files.items())
    assert recognise(text) is Format.FOLDER
    return READERS[Format.FOLDER](text)


def said(reading: Reading, code: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in reading.findings if finding.code == code]


class TestJoined:
    def test_wf7_structure_comes_from_the_plan_and_tasks_from_beside_it(self) -> None:
        plan = read(FOLDER_FILES).plan
        assert plan is not None
        assert (plan.name, plan.owner) == ("Ledger", "ines")
        placed = [(p.step.key, p.thread.name, p.batch.name) for p in plan.placed_steps()]
        assert placed == [
            ("01.01.01.01", "Data", "Foundations"),
            ("01.01.01.02", "Data", "Foundations"),
            ("01.01.02.01", "Web", "Foundations"),
            ("01.01.02.02", "Web", "Foundations"),
            ("01.01.02.03", "Web", "Foundations"),
            ("01.01.03", "Alone", "Foundations"),
            ("02.01.01.01", "Data", "Base"),
        ]
        assert "In one table." in next(plan.placed_steps()).thread.summary

    def test_wf8_state_of_the_tasks_is_kept_beside_the_plan(self) -> None:
        progress = {one.key: one for one in read(FOLDER_FILES).progress}
        assert {key: one.status for key, one in progress.items()} == {
            "01.01.01.01": TaskStatus.COMPLETE,
            "01.01.01.02": TaskStatus.ACTIVE,
            "01.01.02.01": TaskStatus.ACTIVE,
            "01.01.02.02": TaskStatus.CANCELLED,
            "01.01.02.03": TaskStatus.PENDING,
        }
        assert progress["01.01.01.01"].report == "Done in one go."
        assert (progress["01.01.01.02"].agent, progress["01.01.02.03"].agent) == ("backend", "writer")
        assert progress["01.01.02.01"].agent == "webber", "the registry knows who holds it"

    def test_what_only_one_file_has_is_told_and_kept(self) -> None:
        told = [message for _, message in said(read(FOLDER_FILES), "files-differ")]
        assert any("3 tasks stand only in TASKS.md" in message for message in told)
        assert any("1 tasks stand only in tasks.json: 02.01.01.01" in message for message in told)
        assert any("blocked in TASKS.md and active in tasks.json" in message for message in told)
        assert any("threads that PLAN.md does not name: 02.01.01.01" in message for message in told)
        assert any("stay one task each: Alone" in message for message in told)
        assert any("“Base” for “Foundations”" in message for message in told)

    def test_lines_are_those_of_the_joined_text(self) -> None:
        text = join(FOLDER_FILES.items())
        reading = read(FOLDER_FILES)
        lines = text.split("\n")
        assert reading.plan is not None
        for step in reading.plan.steps():
            assert step.key in lines[step.line - 1] or step.title in lines[step.line - 1]
        for one in reading.progress:
            assert one.key in lines[one.line - 1]
        (line, _), *_rest = said(reading, "approval-not-read")
        assert "index.json" in lines[line - 1]

    def test_front_matter_and_broken_parts_have_their_lines(self) -> None:
        files = {
            "PLAN.md": PLAN_FILE.replace("owner: ines", "owner: &a ines"),
            "tasks.json": '{\n"tasks": [}\n',
        }
        reading = read(files)
        assert [line for line, _ in said(reading, "front-matter")] == [3]
        assert [line for line, _ in said(reading, "not-json")] == [len(PLAN_FILE.rstrip().split("\n")) + 5]

    def test_an_approval_elsewhere_is_decided_anew(self) -> None:
        assert "approved by user" in said(read(FOLDER_FILES), "approval-not-read")[0][1]

    def test_steps_that_the_plan_lists_only_get_their_state(self) -> None:
        plan = PLAN_FILE + "\n**Tasks:**\n- Task 01.01.03.01: Table\n- Unnamed\n"
        state = TASKS.replace("01.01.01.01", "01.01.03.01").replace("01.01.02.01", "01.01.03.02")
        reading = read({"PLAN.md": plan, "tasks.json": state.replace('"Page"', '"Unnamed"')})
        assert reading.plan is not None
        alone = [p.step.key for p in reading.plan.placed_steps() if p.thread.name == "Alone"]
        assert alone == ["01.01.03.01", "01.01.03.02"]

    def test_review_keeps_the_progress(self) -> None:
        reading = read_checked(join(FOLDER_FILES.items()), frozenset())
        assert reading.format is Format.FOLDER
        assert len(reading.progress) == 5
        assert reading.plan is not None
        assert not [finding for finding in check_plan(reading.plan, frozenset()) if finding.blocks]


class TestSources:
    def test_ad3_a_folder_is_sorted_into_plans(self) -> None:
        files = {f"one/{name}": text for name, text in FOLDER_FILES.items()}
        files |= {"two/a.json": BUNDLE_WS, "three/tasks.md": SPEC_KIT, "beads/issues.jsonl": BEADS}
        files |= {
            "backlog/tasks/task-7.md": BACKLOG.split("\n---\nid: BACK-6")[0],
            "backlog/config.yml": "x: 1",
        }
        files |= {"backlog/completed/task-6.md": "---\nid: BACK-6\ntitle: A\nstatus: Done\n---\n"}
        files |= {"backlog/drafts/d.md": "---\nid: BACK-9\ntitle: A\nstatus: Done\n---\n"}
        files |= {
            "README.md": "# Plan: no\n### Batch 1\n- A1: x",
            "notes.md": "Nothing.",
            "index.json": INDEX,
        }
        files |= {
            "package.json": "{}",
            "x.schema.json": '{"$schema": "x", "properties": {}}',
            "broken.json": "{",
        }
        found = sources_of({name: text.encode() for name, text in files.items()})
        assert {source.name: recognise(source.text) for source in found.plans} == {
            "one/PLAN.md": Format.FOLDER,
            "two/a.json": Format.BUNDLE_WS,
            "three/tasks.md": Format.SPEC_KIT,
            "beads/issues.jsonl": Format.BEADS,
            "backlog/backlog.md": Format.FOLDER,
            "broken.json": Format.TASK_MASTER,
        }
        assert {left.name: left.why.split(",")[0].split(";")[0] for left in found.left_out} == {
            "README.md": "says something about the folder",
            "notes.md": "holds nothing that can be scheduled",
            "index.json": "is a registry of workstreams",
            "package.json": "is JSON",
            "x.schema.json": "is a JSON Schema",
            "backlog/config.yml": "is no Markdown",
            "backlog/drafts/d.md": "is a draft",
        }

    def test_a_folder_of_backlog_tasks_is_one_plan(self) -> None:
        first, second = BACKLOG.split("\n---\nid: BACK-6")
        files = {"b/7.md": first, "b/6.md": f"---\nid: BACK-6{second}"}
        (source,) = sources_of({name: text.encode() for name, text in files.items()}).plans
        plan = READERS[recognise(source.text)](source.text).plan
        assert plan is not None
        assert {step.key: [need.key for need in step.needs] for step in plan.steps()} == {
            "BACK-6": [],
            "BACK-7": ["BACK-6"],
        }
        assert all("file:" not in step.details for step in plan.steps())

    def test_files_with_a_stem_belong_together(self) -> None:
        files = {"x.PLAN.md": PLAN_FILE, "x.tasks.json": TASKS, "y.PLAN.md": PLAN_FILE}
        found = sources_of({name: text.encode() for name, text in files.items()})
        assert [(one.name, recognise(one.text)) for one in found.plans] == [
            ("x.PLAN.md", Format.FOLDER),
            ("y.PLAN.md", Format.PLAN),
        ]

    @pytest.mark.parametrize("data", [b"\xff\xfe", b"\0", b""])
    def test_b38_what_cannot_be_read_is_left_out_with_the_reason(self, data: bytes) -> None:
        found = sources_of({"a.md": data})
        assert not found.plans
        assert found.left_out[0].why

    def test_a_plan_that_holds_nothing_is_still_told_as_a_plan(self) -> None:
        assert [one.name for one in sources_of({"PLAN.md": b"# Plan: nothing yet"}).plans] == ["PLAN.md"]
