"""WF-3, BX-2: the preview is the real scheduler run to the end, each step looked at only while it may start."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import rehearsal as module
from orchestrator.core.plan import BatchSpec, Need, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.preview import preview
from orchestrator.core.rehearsal import view_of
from orchestrator.core.schedule import Snapshot, decide
from orchestrator.core.terms import TaskStatus


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    keys: list[str] = []
    batches = []
    for _ in range(draw(st.integers(1, 3))):
        threads = []
        for lane in range(draw(st.integers(1, 3))):
            steps = []
            for _ in range(draw(st.integers(1, 4))):
                needs = draw(st.sets(st.sampled_from(keys), max_size=2)) if keys else set()
                step = StepSpec(
                    f"S{len(keys)}",
                    "step",
                    parallel=draw(st.booleans()),
                    needs=tuple(Need(key) for key in sorted(needs)),
                    resources=tuple(draw(st.sets(st.sampled_from("xy"), max_size=1))),
                )
                keys.append(step.key)
                steps.append(step)
            threads.append(ThreadSpec(f"L{lane}", "lane", steps=tuple(steps)))
        batches.append(BatchSpec("00", "batch", threads=tuple(threads)))
    return Plan("Any", (StageSpec(1, "all", batches=tuple(batches)),))


@given(plans())
def test_wf3_the_preview_is_what_the_scheduler_does_over_the_whole_plan(plan: Plan) -> None:
    views = {placed.step.key: view_of(placed) for placed in plan.placed_steps()}
    waves = []
    while launches := decide(Snapshot(tuple(views.values()))).launches:
        waves.append(launches)
        for key in launches:
            views[key] = replace(views[key], status=TaskStatus.COMPLETE)
    assert preview(plan).waves == tuple(waves)
    assert sum(map(len, waves)) == len(views)


def test_wf3_a_chain_is_previewed_one_step_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []

    def counting(snapshot: Snapshot) -> object:
        judged.append(len(snapshot.tasks))
        return decide(snapshot)

    monkeypatch.setattr(module, "decide", counting)
    steps = tuple(StepSpec(f"S{n}", "step") for n in range(200))
    plan = Plan(
        "Chain", (StageSpec(1, "all", batches=(BatchSpec("00", "b", threads=(ThreadSpec("A", "a", steps=steps),)),)),)
    )
    assert len(preview(plan).waves) == 200
    assert sum(judged) == 200
