"""The order that structure and dependencies make (FR-004, FR-005, BX-4)."""

import pytest

from orchestrator.core.plans.graph import EdgeKind, compile_graph, critical_path, cycles_of
from orchestrator.core.plans.plan import BatchSpec, Need, Plan, StageSpec, StepSpec, ThreadSpec
from tests.core.plans.order_oracle import launch_groups, launch_order
from tests.core.plans.plan_examples import plan_of


def plan(*stages: list[list[list[str]]]) -> Plan:
    """Stages of batches of threads.

    A step is `key`, `key=` (parallel), `key<a,b` (needs), `key~30` (minutes).
    """
    return Plan(
        "p",
        tuple(
            StageSpec(
                s,
                "s",
                batches=tuple(
                    BatchSpec(
                        f"{b:02}", "b", threads=tuple(thread(t, keys) for t, keys in enumerate(threads))
                    )
                    for b, threads in enumerate(batches)
                ),
            )
            for s, batches in enumerate(stages, 1)
        ),
    )


def thread(number: int, steps: list[str]) -> ThreadSpec:
    return ThreadSpec(f"{number}", "t", steps=tuple(step(text) for text in steps))


def step(text: str) -> StepSpec:
    text, _, minutes = text.partition("~")
    text, _, wanted = text.partition("<")
    needs = tuple(Need(key) for key in wanted.split(",") if key)
    return StepSpec(
        text.rstrip("="), text, parallel=text.endswith("="), needs=needs, estimate=int(minutes or 0)
    )


def edges(p: Plan) -> dict[str, str]:
    graph = compile_graph(p)
    return {key: " ".join(f"{e.key}:{e.kind}" for e in graph.predecessors(key)) for key in graph.keys}


def test_steps_of_a_thread_run_in_order() -> None:
    assert edges(plan([[["a", "b", "c"]]])) == {"a": "", "b": "a:thread", "c": "b:thread"}


def test_run_of_parallel_steps_starts_together_and_joins() -> None:
    found = edges(plan([[["a", "b=", "c=", "d", "e"]]]))
    assert found == {"a": "", "b": "a:thread", "c": "a:thread", "d": "b:thread c:thread", "e": "d:thread"}


def test_thread_that_starts_parallel_waits_for_nothing() -> None:
    assert edges(plan([[["a=", "b=", "c"]]])) == {"a": "", "b": "", "c": "a:thread b:thread"}


def test_threads_run_side_by_side() -> None:
    assert edges(plan([[["a"], ["b"]]])) == {"a": "", "b": ""}


def test_explicit_dependency_is_named_before_thread_order() -> None:
    assert edges(plan([[["a", "b<a"], ["c<a"]]])) == {"a": "", "b": "a:explicit", "c": "a:explicit"}


def test_batch_and_stage_wait_for_all_before_them() -> None:
    found = edges(plan([[["a"], ["b"]], [["c"]]], [[["d"]]]))
    assert found == {"a": "", "b": "", "c": "a:batch b:batch", "d": "c:stage"}


def test_empty_batches_do_not_break_the_barrier() -> None:
    assert edges(plan([[["a"]], [], [[]]], [], [[["b"]]]))["b"] == "a:stage"


def test_launch_order_is_stage_batch_step_key() -> None:
    assert launch_order(plan([[["z", "b"], ["a", "c"]], [["0"]]], [[["00"]]])) == (
        "a",
        "z",
        "b",
        "c",
        "0",
        "00",
    )


def test_equal_order_is_broken_by_key() -> None:
    assert launch_order(plan([[["B2"], ["A10"], ["A1"]]])) == ("A1", "A10", "B2")


def test_launches_respect_threads_batches_and_dependencies() -> None:
    assert launch_groups(plan([[["a", "b=", "c=", "d"], ["e", "f<d"]], [["g"], ["h<g"]]])) == (
        ("a", "e"),
        ("b", "c"),
        ("d",),
        ("f",),
        ("g",),
        ("h",),
    )


@pytest.mark.parametrize(
    ("p", "path"),
    [
        (plan([[["a", "b"], ["c"]], [["d"]]]), ("a", "b", "d")),
        (plan([[["b"], ["a"]], [["d"], ["c"]]]), ("a", "c")),
        (plan([[["a~5", "b~5"], ["c~30"]], [["d~1"]]]), ("c", "d")),
        (plan([[["a~5", "b"], ["c~30"]], [["d~1"]]]), ("a", "b", "d")),
        (plan([[["a"], ["b"]], [["c<b"]]]), ("a", "c")),
        (plan(), ()),
    ],
    ids=["longest", "ties-by-key", "minutes", "minutes-incomplete", "barrier-counts", "empty"],
)
def test_critical_path(p: Plan, path: tuple[str, ...]) -> None:
    assert critical_path(p) == path


def test_critical_path_goes_through_the_gate() -> None:
    before = "### Batch 1\n- A1: x\n  - Estimate: 1h\n### Merge Point MP1\n"
    source = before + "### Batch 2\n- B1: y (needs A1)\n  - Estimate: 2h\n"
    assert critical_path(plan_of(source)) == ("A1", "MP1", "B1")


@pytest.mark.parametrize(
    ("p", "path"),
    [
        (plan([[["a<c"], ["b<a"], ["c<b"]]]), ("a", "b", "c")),
        (plan([[["a<a"]]]), ("a",)),
        (plan([[["a<b", "b"]]]), ("a", "b")),
        (plan([[["a", "b<a"]]]), ()),
        (plan([[["a<b"]], [["b"]]]), ()),
    ],
    ids=["three", "itself", "against-thread-order", "none", "later-batch-is-no-circle"],
)
def test_cycle(p: Plan, path: tuple[str, ...]) -> None:
    assert cycles_of(compile_graph(p))[:1] == ((path,) if path else ())


def test_circle_has_no_launches_and_no_critical_path() -> None:
    p = plan([[["a<b"], ["b<a"]]])
    assert (launch_groups(p), critical_path(p)) == ((), ())


def test_unknown_and_duplicate_keys_do_no_harm() -> None:
    p = plan([[["a<nowhere"], ["a", "b"]]])
    assert edges(p) == {"a": "", "b": "a:thread"}
    assert launch_order(p) == ("a", "b")


def test_barriers_are_groups_not_edges() -> None:
    graph = compile_graph(plan([[["a"], ["b"]], [["c"], ["d"]]]))
    assert sum(len(found) for found in graph.needs.values()) == 0
    assert [group.members for group in graph.groups] == [("a", "b"), ("c", "d")]
    assert {edge.kind for edge in graph.barrier("c")} == {EdgeKind.BATCH}


@pytest.mark.parametrize("act", [compile_graph, launch_order, launch_groups, critical_path])
def test_ten_thousand_steps_are_no_trouble(act: object) -> None:
    layers = [[[f"s{b}-{t}<s{b - 1}-{t}" if b else f"s{b}-{t}"] for t in range(200)] for b in range(50)]
    p = plan(layers)
    assert callable(act)
    answer = act(p)
    assert answer is not None
