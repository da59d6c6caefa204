"""Chains of waiting: from verdict to verdict to the root, and what waits behind it (FR-015)."""

import pytest
from hypothesis import given

from orchestrator.core.engine import chain_words, explain
from orchestrator.core.engine.ancestry import ancestors
from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.schedule import Verdict, decide
from orchestrator.core.engine.signatures import Signer
from orchestrator.core.engine.values import Hold, Snapshot, TaskView
from orchestrator.core.engine.why import (
    Point,
    Standing,
    also_in_the_way,
    behind,
    chain,
    front,
    most_urgent,
)
from orchestrator.core.terms import AttemptStatus, Reason, RootKind, TaskStatus, WorkstreamStatus
from tests.core.engine.test_schedule import done, snapshots, task

QUEUED, RUNNING = AttemptStatus.QUEUED, AttemptStatus.RUNNING
BLOCKED = TaskStatus.BLOCKED
ACTIVE = WorkstreamStatus.ACTIVE


def standing(*views: TaskView, slug: str = "shop", hold: Hold | None = None, elsewhere=()) -> Standing:
    decision = decide(Snapshot(views, hold, elsewhere=elsewhere))
    return Standing(
        slug, ACTIVE, {view.key: view for view in views}, {v.key: v for v in decision.verdicts}, hold
    )


def chain_in(*known: Standing, start: str):
    slug, _, key = start.partition("/")
    return chain(Point(slug, key), {one.slug: one for one in known}.get)


def keys(found) -> list[str]:
    return [link.at.key or link.at.workstream for link in found.links]


ASKS = task("B1", (0, 0, 1, 0), live=RUNNING, executor="b", note="Half-up or half-even?")
MERGE = task("MP1", (0, 1, 0, 0), gate=True, needs=("B1",))
LAST = task("E1", (0, 2, 0, 0))
REJECTS = Signer("rita", rejects=True)


def test_a_chain_goes_to_the_question_that_holds_everything() -> None:
    shop = standing(done(task("A1", (0, 0, 0, 0))), ASKS, MERGE, LAST)
    found = chain_in(shop, start="shop/MP1")
    assert keys(found) == ["MP1", "B1"]
    assert (found.kind, found.root.reason) == (RootKind.QUESTION, Reason.NEEDS_HUMAN)
    assert behind(shop, "B1") == ("MP1", "E1")


@pytest.mark.parametrize(
    ("view", "kind"),
    [
        (task("A1", (0, 0, 0, 0), live=QUEUED), RootKind.UNCLAIMED),
        (task("A1", (0, 0, 0, 0), live=RUNNING, executor="b"), RootKind.RUNNING),
        (task("A1", (0, 0, 0, 0), live=QUEUED, gate=True), RootKind.GATE),
        (task("A1", (0, 0, 0, 0), status=BLOCKED, failure="It broke."), RootKind.FAILURE),
        (task("A1", (0, 0, 0, 0), status=BLOCKED, blocker="No key."), RootKind.BLOCKER),
        (task("A1", (0, 0, 0, 0), status=BLOCKED, live=QUEUED, blocker="No key."), RootKind.BLOCKER),
        (task("A1", (0, 0, 0, 0), note="Which?"), RootKind.QUESTION),
        (task("A1", (0, 0, 0, 0)), RootKind.ROUND),
        (
            task("A1", (0, 0, 0, 0), status=TaskStatus.COMPLETE, artifact="a is gone", damaged=True),
            RootKind.ARTIFACT,
        ),
        (
            task("A1", (0, 0, 0, 0), status=TaskStatus.COMPLETE, artifact="a is not there yet"),
            RootKind.WRITING,
        ),
    ],
)
def test_every_kind_of_root(view: TaskView, kind: RootKind) -> None:
    shop = standing(view, task("A2", (0, 0, 0, 1)), task("B1", (0, 1, 0, 0)))
    assert chain_in(shop, start="shop/A2").kind is kind
    assert chain_in(shop, start="shop/B1").root.at == Point("shop", "A1")
    if kind is not RootKind.ROUND:
        assert chain_in(shop, start="shop").root.at == Point("shop", "A1")
        assert behind(shop, "A1") == ("A2", "B1")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.DIVERGED, RootKind.DIVERGENCE),
        (Reason.PLAN_NOT_APPROVED, RootKind.PLAN),
        (Reason.NOT_EFFECTIVE, RootKind.NOT_EFFECTIVE),
        (Reason.PREHANDOFF, RootKind.PREHANDOFF),
    ],
)
def test_what_holds_a_whole_workstream_is_the_root_of_its_tasks(reason: Reason, kind: RootKind) -> None:
    shop = standing(task("A1", (0, 0, 0, 0)), hold=Hold(reason, "held"))
    found = chain_in(shop, start="shop/A1")
    assert (keys(found), found.kind) == (["A1", "shop"], kind)
    assert chain_in(shop, start="shop").kind is kind
    assert behind(shop, "") == ("A1",)


def test_a_chain_crosses_into_the_workstream_that_has_to_be_completed_first() -> None:
    hold = Hold(Reason.WORKSTREAM_DEPENDENCY, "waits", "ledger")
    shop = standing(task("A1", (0, 0, 0, 0)), hold=hold)
    ledger = standing(ASKS, LAST, slug="ledger")
    found = chain_in(shop, ledger, start="shop/A1")
    assert [link.at for link in found.links] == [
        Point("shop", "A1"),
        Point("ledger"),
        Point("ledger", "B1"),
    ]
    assert found.kind is RootKind.QUESTION


def test_a_needed_workstream_that_is_done_waits_for_its_acceptance_and_an_archived_one_for_ever() -> None:
    shop = standing(task("A1", (0, 0, 0, 0)), hold=Hold(Reason.WORKSTREAM_DEPENDENCY, "waits", "ledger"))
    finished = standing(done(task("B1", (0, 0, 0, 0))), slug="ledger")
    assert chain_in(shop, finished, start="shop/A1").kind is RootKind.ACCEPTANCE
    closed = Standing("ledger", WorkstreamStatus.ARCHIVED, hold=Hold(Reason.CLOSED, "closed"))
    assert chain_in(shop, closed, start="shop/A1").kind is RootKind.ARCHIVED
    assert chain_in(closed, start="ledger").kind is RootKind.NOTHING


def test_a_chain_crosses_to_the_task_that_holds_the_files_elsewhere() -> None:
    claims = Claims("ledger/01", ("src/**",))
    other = task("ledger/B1", (0, 0, 0, 0), live=RUNNING, executor="b", claims=claims)
    mine = task("A1", (0, 0, 0, 0), claims=Claims("01", ("src/app.py",)))
    shop = standing(mine, elsewhere=(other,))
    ledger = standing(task("B1", (0, 0, 0, 0), live=RUNNING, executor="b"), slug="ledger")
    found = chain_in(shop, ledger, start="shop/A1")
    assert [link.at for link in found.links] == [Point("shop", "A1"), Point("ledger", "B1")]
    assert chain_in(shop, start="shop/A1").kind is RootKind.ROUND, "a workstream that is gone"


def test_workstreams_that_need_one_another_end_the_chain_where_it_closes() -> None:
    needs = Reason.WORKSTREAM_DEPENDENCY
    shop = standing(task("A1", (0, 0, 0, 0)), hold=Hold(needs, "waits", "ledger"))
    ledger = standing(task("B1", (0, 0, 0, 0)), slug="ledger", hold=Hold(needs, "waits", "shop"))
    found = chain_in(shop, ledger, start="shop/A1")
    assert (keys(found), found.kind) == (["A1", "ledger", "shop"], RootKind.CIRCLE)


def test_a_recorded_verdict_whose_holder_has_ended_waits_for_the_next_round() -> None:
    verdicts = {
        "A1": Verdict("A1", Reason.DONE, "", "complete"),
        "A2": Verdict("A2", Reason.THREAD, "A1", "waits for A1: ready"),
    }
    views = {"A1": done(task("A1", (0, 0, 0, 0))), "A2": task("A2", (0, 0, 0, 1))}
    found = chain_in(Standing("shop", ACTIVE, views, verdicts), start="shop/A2")
    assert (keys(found), found.kind) == (["A2", "A1"], RootKind.ROUND)


def test_the_most_urgent_front_task_is_the_root_of_a_workstream() -> None:
    views = [
        task("R1", (0, 0, 0, 0), live=RUNNING, executor="b"),
        task("Q1", (0, 0, 1, 0), live=QUEUED),
        task("G1", (0, 0, 2, 0), live=QUEUED, gate=True),
        task("D1", (0, 0, 3, 0), status=TaskStatus.COMPLETE, artifact="gone", damaged=True),
        task("K1", (0, 0, 4, 0), status=BLOCKED, blocker="No key."),
        task("F1", (0, 0, 5, 0), status=BLOCKED, failure="It broke."),
        task("H2", (0, 0, 7, 0), note="Second?"),
        task("H1", (0, 0, 6, 0), note="Which?"),
    ]
    order = []
    while views:
        root = chain_in(standing(*views), start="shop").root.at.key
        order.append(root)
        views = [view for view in views if view.key != root]
    assert order == ["H1", "H2", "F1", "K1", "D1", "G1", "Q1", "R1"]
    assert most_urgent(front(standing())) is None


def test_what_wants_the_same_files_waits_behind_it_with_all_that_follows() -> None:
    first = task("A1", (0, 0, 0, 0), live=RUNNING, executor="b", claims=Claims("01", ("src/**",)))
    wants = task("B1", (0, 0, 1, 0), claims=Claims("02", (), ("src/x.py",)))
    shop = standing(first, wants, task("B2", (0, 0, 1, 1)), task("C1", (0, 0, 2, 0), live=QUEUED))
    assert shop.verdicts["B1"].reason is Reason.RESOURCE
    assert behind(shop, "A1") == ("B1", "B2")


def test_another_that_needs_somebody_is_named_beside_the_root() -> None:
    running = task("A1", (0, 0, 0, 0), live=RUNNING, executor="b")
    failed = task("C1", (0, 0, 2, 0), status=BLOCKED, failure="It broke.")
    shop = standing(running, ASKS, failed, task("A2", (0, 0, 0, 1)), LAST)
    also = also_in_the_way(shop, "E1", chain_in(shop, start="shop/E1").root.at.key)
    assert [(one.kind, one.order.key) for one in also] == [
        (RootKind.QUESTION, "B1"),
        (RootKind.FAILURE, "C1"),
    ]
    assert also_in_the_way(shop, "A2", "A1") == (), "nothing else stands before A2"
    assert [one.order.key for one in also_in_the_way(shop, "", "B1")] == ["C1"]


@pytest.mark.parametrize(("signers", "named"), [((), ["G1"]), ((Signer("rita"),), []), ((REJECTS,), [])])
def test_fr006_a_gate_that_is_decided_needs_nobody_else(
    signers: tuple[Signer, ...], named: list[str]
) -> None:
    gate = task("G1", (0, 0, 2, 0), live=QUEUED, gate=True, signers=signers)
    shop = standing(ASKS, gate, LAST)
    assert [one.order.key for one in also_in_the_way(shop, "E1", "B1")] == named


@given(snapshots())
def test_every_task_of_any_plan_has_a_root_and_stands_behind_it(snapshot: Snapshot) -> None:
    """With what the chain passes: whatever a task waits for by rule, it stands behind it."""
    shop = standing(*snapshot.tasks)
    for view in snapshot.tasks:
        found = chain_in(shop, start=f"shop/{view.key}")
        assert found.links[0].at == Point("shop", view.key)
        assert found.kind is not RootKind.CIRCLE
        root = found.root.at.key
        if view.open and root != view.key:
            assert view.key in behind(shop, root)
        before = ancestors(snapshot.tasks, view.key)
        assert all(view.key in behind(shop, other) for other in before if view.open)


def test_the_sentence_names_the_way_shortens_long_ones_and_counts() -> None:
    assert explain.chain_of(["E1", "MP1", "B1"], "it asks: which?") == (
        "E1 waits for MP1, which waits for B1: it asks: which?"
    )
    assert explain.chain_of(["D1", "B2", "A1"], "it asks: which?", ["C2"]) == (
        "D1 waits for B2 + C2; B2 waits for A1: it asks: which?"
    )
    assert explain.chain_of(["D1", "B2"], "not started", ["C2", "E1"]) == (
        "D1 waits for B2 + C2 + E1; B2: not started"
    )
    long = explain.chain_of([f"T{number}" for number in range(12)], "it is blocked: no key")
    assert long == (
        "T0 waits for T1, which waits for T2, which waits for 8 more, of which the last waits for T11: "
        "it is blocked: no key"
    )
    assert explain.chain_of(["B1"], "it asks: which?") == "B1: it asks: which?"
    assert chain_words.whole_chain("B1: it asks: which?", None, 1, "answer it") == (
        "B1: it asks: which?; 1 task waits behind it; answer it."
    )
    assert chain_words.whole_chain("B1: ready", None, 0, "", ["C1", "C2"]) == (
        "B1: ready; C1, C2 need somebody as well."
    )
