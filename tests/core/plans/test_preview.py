"""WF-3, BX-2: the preview is the real scheduler run to the end, each step looked at only while it
may start.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.changes.adoption import adopt
from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.plans.plan import BatchSpec, Need, Plan, Progress, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.rehearsing import rehearsal as module
from orchestrator.core.plans.rehearsing.preview import Length, Wait, preview
from orchestrator.core.plans.rehearsing.rehearsal import rehearse
from orchestrator.core.plans.rehearsing.script import script_of, view_of
from orchestrator.core.terms import AttemptStatus, TaskStatus


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
    launch_groups = []
    while launches := decide(Snapshot(tuple(views.values()))).launches:
        launch_groups.append(launches)
        for key in launches:
            views[key] = replace(views[key], status=TaskStatus.COMPLETE)
    assert preview(plan).launches == tuple(launch_groups)
    assert sum(map(len, launch_groups)) == len(views)


def test_wf3_a_chain_is_previewed_one_step_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []

    def counting(snapshot: Snapshot) -> object:
        judged.append(len(snapshot.tasks))
        return decide(snapshot)

    monkeypatch.setattr(module, "decide", counting)
    steps = tuple(StepSpec(f"S{n}", "step") for n in range(200))
    plan = Plan(
        "Chain",
        (StageSpec(1, "all", batches=(BatchSpec("00", "b", threads=(ThreadSpec("A", "a", steps=steps),)),)),),
    )
    assert len(preview(plan).launches) == 200
    assert sum(judged) == 200


@given(plans(), st.data())
def test_wf8_a_preview_of_adopted_work_is_what_the_scheduler_does_with_the_rest(
    plan: Plan, data: st.DataObject
) -> None:
    words = st.sampled_from([TaskStatus.COMPLETE] * 3 + [TaskStatus.SKIPPED, TaskStatus.PENDING])
    plan = plan.with_steps(lambda step: replace(step, resources=()))
    ended = adopt(plan, [Progress(step.key, data.draw(words)) for step in plan.steps()]).ended
    views = {placed.step.key: view_of(placed) for placed in plan.placed_steps()}
    views |= {key: replace(views[key], status=status) for key, status in ended.items()}
    launch_groups = []
    while launches := decide(Snapshot(tuple(views.values()))).launches:
        launch_groups.append(launches)
        for key in launches:
            views[key] = replace(views[key], status=TaskStatus.COMPLETE)
    shown = preview(plan, 2, ended)
    assert shown.launches == tuple(launch_groups)
    assert (shown.tasks, shown.taken_over, shown.unreachable) == (len(views), len(ended), 0)
    assert sorted(shown.launch_order) == sorted(views.keys() - ended)
    assert shown.length.one == shown.left == len(views) - len(ended)
    assert len(shown.critical_path) == len(launch_groups) == shown.length.unlimited
    assert not ended.keys() & set(shown.critical_path)
    assert sorted(step.key for lane in shown.threads for step in lane.steps) == sorted(shown.launch_order)
    assert all(lane.steps for lane in shown.threads)


def test_wf8_estimates_of_the_work_that_is_left_are_enough_for_minutes() -> None:
    steps = (StepSpec("A1", "s"), StepSpec("A2", "s", estimate=30), StepSpec("A3", "s", estimate=15))
    batch = BatchSpec("00", "b", threads=(ThreadSpec("A", "a", steps=steps),))
    plan = Plan("Timed", (StageSpec(1, "all", batches=(batch,)),))
    assert (preview(plan).unit, preview(plan).length.one) == ("steps", 3)
    rest = preview(plan, ended={"A1": TaskStatus.COMPLETE})
    assert (rest.unit, rest.length.one, rest.estimated, rest.left) == ("minutes", 45, 2, 2)
    assert rest.critical_path == ("A2", "A3")


@given(plans(), st.integers(1, 4))
def test_bx2_with_n_executors_no_more_than_n_are_ever_busy_and_everything_is_done(
    plan: Plan, executors: int
) -> None:
    script = script_of(plan, {})
    run = rehearse(script, executors)
    for moment in range(run.length):
        busy = [turn for turn in run.turns if turn.started <= moment < turn.ended]
        assert len(busy) <= executors
    ended = {turn.key: turn for turn in run.turns}
    assert sorted(ended) == sorted(script.views)
    for turn in run.turns:
        assert all(ended[need].ended <= turn.launched for need in script.views[turn.key].needs)
    shown = preview(plan, executors)
    assert shown.peak <= executors
    assert (
        shown.length.unlimited
        == len(shown.launches)
        <= shown.length.given
        <= shown.length.one
        == len(script.views)
    )


@given(plans(), st.integers(1, 4))
def test_bx2_a_rehearsal_is_what_the_scheduler_does_over_the_whole_plan(plan: Plan, executors: int) -> None:
    """The plain way: every task is judged again after each completion, and executors take from one queue."""
    script = script_of(plan, {})
    views, queue, done, moment = dict(script.views), [], [], 0
    while True:
        for key in decide(Snapshot(tuple(views.values()))).launches:
            views[key] = replace(views[key], live=AttemptStatus.QUEUED)
            queue.append((moment, key))
        if not queue:
            break
        now, queue = queue[:executors], queue[executors:]
        for launched, key in now:
            done.append((key, launched, moment))
            views[key] = replace(views[key], live=None, status=TaskStatus.COMPLETE)
        moment += 1
    assert [(turn.key, turn.launched, turn.started) for turn in rehearse(script, executors).turns] == done


def test_wf3_the_longest_wait_names_what_is_waited_for() -> None:
    lanes = (ThreadSpec("A", "a", steps=(StepSpec("A1", "s", estimate=30),)),)
    lanes += (ThreadSpec("B", "b", steps=(StepSpec("B1", "s", estimate=5),)),)
    last = StepSpec("C1", "s", needs=(Need("A1"), Need("B1")), estimate=5)
    lanes += (ThreadSpec("C", "c", steps=(last,)),)
    plan = Plan("Timed", (StageSpec(1, "all", batches=(BatchSpec("00", "b", threads=lanes),)),))
    assert preview(plan, 2).longest_wait == Wait("C1", 25, "A1", executor=False)
    assert preview(plan, 1).longest_wait == Wait("B1", 30, "A1", executor=True)
    assert preview(plan, 1).length == Length(one=40, given=40, unlimited=35)
