"""The scheduler against hand-made cases and, with Hypothesis, against a model that knows nothing
of its code.
"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Hold, Snapshot, TaskView
from orchestrator.core.terms import TERMINAL_TASK, AttemptStatus, Reason, TaskStatus


def task(key: str, place: tuple[int, int, int, int], **facts: object) -> TaskView:
    return TaskView(key=key, place=Place(*place), **facts)


def done(view: TaskView) -> TaskView:
    return replace(view, status=TaskStatus.COMPLETE)


def test_sequential_steps_of_a_thread_start_lowest_first() -> None:
    decision = decide(Snapshot((task("B", (0, 0, 0, 1)), task("A", (0, 0, 0, 0)))))
    assert decision.launches == ("A",)
    assert decision.verdict("B").reason is Reason.THREAD
    assert decision.verdict("B").holder == "A"


def test_parallel_neighbours_start_together_and_join() -> None:
    views = (
        task("A", (0, 0, 0, 0)),
        task("B", (0, 0, 0, 1), parallel=True),
        task("C", (0, 0, 0, 2), parallel=True),
        task("D", (0, 0, 0, 3)),
    )
    assert decide(Snapshot(views)).launches == ("A",)
    after_a = (done(views[0]), *views[1:])
    assert decide(Snapshot(after_a)).launches == ("B", "C")
    half = (done(views[0]), done(views[1]), *views[2:])
    assert decide(Snapshot(half)).verdict("D").holder == "C"


def test_ec2_equal_order_is_broken_by_key() -> None:
    views = tuple(task(key, (0, 0, lane, 0)) for lane, key in enumerate(["b", "C", "a"]))
    assert decide(Snapshot(views)).launches == ("C", "a", "b")


def test_a_batch_waits_for_all_of_the_one_before_and_names_who() -> None:
    first = task(
        "A1", (0, 0, 0, 0), live=AttemptStatus.RUNNING, executor="builder-1", status=TaskStatus.ACTIVE
    )
    verdict = decide(Snapshot((first, task("B1", (0, 1, 0, 0))))).verdict("B1")
    assert (verdict.reason, verdict.holder) == (Reason.DEPENDENCY, "A1")
    assert verdict.sentence == "waits for the batch before it, A1: running on builder-1"


def test_an_artifact_that_is_damaged_holds_its_successors() -> None:
    first = task("A1", (0, 0, 0, 0), status=TaskStatus.COMPLETE, artifact="a.json is missing")
    for successor in (
        task("B1", (0, 0, 1, 0), needs=("A1",)),
        task("B1", (0, 0, 0, 1)),
        task("B1", (0, 1, 0, 0)),
    ):
        verdict = decide(Snapshot((first, successor))).verdict("B1")
        assert (verdict.reason, verdict.holder) == (Reason.ARTIFACT, "A1")
        assert "a.json is missing" in verdict.sentence


def test_ec1_contention_serialises_and_names_the_holder() -> None:
    shared = Claims(lane="A", files=("src/*.py",))
    views = (
        task("A1", (0, 0, 0, 0), claims=shared),
        task("B1", (0, 0, 1, 0), claims=Claims("B", files=("src/a.py",))),
    )
    decision = decide(Snapshot(views))
    assert decision.launches == ("A1",)
    assert (decision.verdict("B1").reason, decision.verdict("B1").holder) == (Reason.RESOURCE, "A1")


def test_files_of_a_lane_are_held_against_other_lanes() -> None:
    claims = [Claims(lane="A", lane_files=("auth/**",), files=(f"auth/{n}.py",)) for n in (1, 2)]
    views = tuple(task(f"A{n}", (0, 0, 0, n - 1), parallel=True, claims=c) for n, c in enumerate(claims, 1))
    assert decide(Snapshot(views)).launches == ("A1", "A2")
    other = task("B1", (0, 0, 1, 0), claims=Claims(lane="B", lane_files=("auth/x",)))
    decision = decide(Snapshot((*views, other)))
    assert decision.launches == ("A1", "A2")
    assert (decision.verdict("B1").reason, decision.verdict("B1").holder) == (Reason.RESOURCE, "A1")


def test_a_later_task_may_pass_one_that_waits_for_a_resource() -> None:
    views = (
        task("A1", (0, 0, 0, 0), claims=Claims(resources=("db",))),
        task("B1", (0, 0, 1, 0), claims=Claims(resources=("db",))),
        task("C1", (0, 0, 2, 0)),
    )
    assert decide(Snapshot(views)).launches == ("A1", "C1")


def test_a_hold_on_the_workstream_is_every_tasks_reason() -> None:
    decision = decide(Snapshot((task("A", (0, 0, 0, 0)),), Hold(Reason.PREHANDOFF, "waits for the review")))
    assert decision.launches == ()
    assert decision.verdict("A").reason is Reason.PREHANDOFF


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    views = []
    for batch in range(draw(st.integers(1, 3))):
        for thread in range(draw(st.integers(1, 3))):
            for position in range(draw(st.integers(1, 3))):
                views.append(
                    task(
                        f"s{batch}{thread}{position}",
                        (0, batch, thread, position),
                        parallel=draw(st.booleans()),
                        needs=tuple(
                            draw(st.sets(st.sampled_from([v.key for v in views]), max_size=2))
                            if views
                            else ()
                        ),
                        claims=Claims(resources=tuple(draw(st.sets(st.sampled_from("xy"), max_size=1)))),
                    )
                )
    return Snapshot(tuple(views))


@given(snapshots(), st.randoms(use_true_random=False))
def test_any_plan_runs_to_its_end_without_breaking_a_rule(snapshot: Snapshot, random) -> None:
    """Launch, run and complete in random order: everything ends, and what is live never breaks the order
    rules.
    """
    views = {v.key: v for v in snapshot.tasks}
    live: set[str] = set()
    for _ in range(4 * len(views)):
        shuffled = list(views.values())
        random.shuffle(shuffled)
        decision = decide(Snapshot(tuple(shuffled)))
        assert decision == decide(Snapshot(tuple(views.values()))), "the order of the rows must not matter"
        assert list(decision.launches) == sorted(decision.launches, key=lambda k: views[k].order)
        for key in decision.launches:
            views[key] = replace(views[key], live=AttemptStatus.QUEUED)
            live.add(key)
        check_rules(views, live)
        if not live:
            break
        finished = random.choice(sorted(live))
        live.remove(finished)
        views[finished] = replace(views[finished], live=None, status=TaskStatus.COMPLETE)
    assert all(v.status is TaskStatus.COMPLETE for v in views.values())


def check_rules(views: dict[str, TaskView], live: set[str]) -> None:
    for key in live:
        me = views[key]
        unfinished = [v for v in views.values() if v.status not in TERMINAL_TASK and v.key != key]
        assert not [v for v in unfinished if v.key in me.needs], "a dependency is open"
        assert not [v for v in unfinished if v.place[:2] < me.place[:2]], "a batch before is open"
        earlier = [
            v for v in unfinished if v.place[:3] == me.place[:3] and v.place.position < me.place.position
        ]
        assert not [v for v in earlier if not (v.parallel and me.parallel)], (
            "an earlier step of the thread is open"
        )
        rivals = [
            views[k] for k in live if k != key and set(views[k].claims.resources) & set(me.claims.resources)
        ]
        assert not rivals, "two tasks hold one resource"


def test_bx6_all_open_needs_are_named_first_with_where_they_stand() -> None:
    running = task("B2", (0, 0, 0, 0), live=AttemptStatus.RUNNING, executor="ada", status=TaskStatus.ACTIVE)
    views = (
        done(task("A1", (0, 0, 3, 0))),
        running,
        task("C2", (0, 0, 1, 0)),
        task("D1", (0, 0, 2, 0), needs=("A1", "B2", "C2")),
    )
    verdict = decide(Snapshot(views)).verdict("D1")
    assert (verdict.holder, verdict.beside) == ("B2", ("C2",))
    assert verdict.sentence == (
        "waits for B2 + C2; B2: running on ada; C2: ready, waits for an executor to claim it"
    )
    one = decide(Snapshot((views[0], done(running), *views[2:]))).verdict("D1")
    assert (one.holder, one.beside) == ("C2", ())


def test_bx6_a_gate_among_the_needs_is_named_as_well_and_of_many_the_others_are_counted() -> None:
    gate = task("G1", (0, 0, 0, 0), gate=True)
    needs = tuple(f"N{number:02}" for number in range(20))
    views = (*(task(key, (0, 0, 1 + place, 0)) for place, key in enumerate(needs)), gate)
    verdict = decide(Snapshot((*views, task("Z", (0, 0, 30, 0), needs=("G1", *needs))))).verdict("Z")
    assert (verdict.holder, verdict.reason, len(verdict.beside)) == ("N00", Reason.DEPENDENCY, 20)
    assert verdict.sentence.startswith("waits for N00 + G1 + N01 + N02")
    assert "N10 + 9 more; N00: ready" in verdict.sentence
    assert verdict.sentence.endswith("; 18 more")
    gates = (gate, task("G2", (0, 0, 1, 0), gate=True), task("Z", (0, 0, 2, 0), needs=("G1", "G2")))
    waits = decide(Snapshot(gates)).verdict("Z")
    assert waits.reason is Reason.GATE
    assert waits.sentence.startswith("waits for G1 + G2; G1: waits for sign-off")
