"""WF-2, AD-5, WF-8: what people already have is read, scheduled to its end, and written in every form of
ours.
"""

import os
from pathlib import Path

import pytest

from orchestrator.core.files.write import Written, render_as
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.folder import PlanSource, sources_of
from orchestrator.core.plans.formats.plan_file import read as read_bundle
from orchestrator.core.plans.formats.plan_file_text import render_plan_file
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format, TaskStatus
from tests.core.plans.formats.samples import FOLDER_FILES, PLAN, SAMPLES

SHARED = Path(os.environ.get("ORCHESTRATOR_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
CORPUS = SHARED / "corpus" / "plans"
TOOLS = frozenset({"pytest"})


def reviewed(source: PlanSource) -> tuple[Plan, Reading]:
    """Nothing in it keeps it from being scheduled to its end, and both forms of ours read back as it is."""
    reading = read(source.text, TOOLS)
    plan = reading.plan
    assert plan is not None
    assert [f for f in reading.blockers if f.code != "unanswered-question"] == []
    assert len(preview(plan).launch_order) == len(list(plan.steps()))
    assert read_plan(render_plan(plan)).plan == plan
    assert read_bundle(render_plan_file(plan)).plan == plan
    assert all(render_as(plan, form) for form in Written)
    keys = {step.key for step in plan.steps()}
    assert all(one.key in keys for one in reading.progress)
    return plan, reading


@pytest.mark.parametrize("name", SAMPLES)
def test_wf2_a_plan_of_every_format_is_scheduled_to_its_end(name: str) -> None:
    reviewed(PlanSource(name, SAMPLES[name]))


def test_wf2_the_format_can_be_forced() -> None:
    reading = read(PLAN, TOOLS, Format.SPEC_KIT)
    assert reading.format is Format.SPEC_KIT
    assert reading.plan is None


def test_wf8_work_in_progress_keeps_its_state() -> None:
    (source,) = sources_of({name: text.encode() for name, text in FOLDER_FILES.items()}).plans
    _, reading = reviewed(source)
    state = {one.key: (one.status, one.agent, one.report) for one in reading.progress}
    assert state["01.01.01.01"] == (TaskStatus.COMPLETE, "backend", "Done in one go.")
    assert state["01.01.02.01"] == (TaskStatus.ACTIVE, "webber", "")


def corpus() -> dict[str, bytes]:
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus is not beside the checkout: {CORPUS} is missing")
    return {str(p.relative_to(CORPUS)): p.read_bytes() for p in sorted(CORPUS.rglob("*")) if p.is_file()}


def test_wf2_every_real_file_is_read_or_is_no_plan() -> None:
    found = sources_of(corpus())
    assert [
        left.name for left in found.left_out if not left.name.endswith((".schema.json", "index.json"))
    ] == []
    assert len(found.plans) >= 10
    for source in found.plans:
        reviewed(source)


def test_wf8_a_real_workstream_keeps_what_was_done() -> None:
    found = {source.name: source for source in sources_of(corpus()).plans}
    plan, reading = reviewed(found["workstream-session-tracking.PLAN.md"])
    assert {one.status for one in reading.progress} == {TaskStatus.COMPLETE}
    assert len(reading.progress) == len(list(plan.steps())) == 56
