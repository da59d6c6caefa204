"""FR-016, EC-4: the verdict for every item, for random plans, states and mappings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.changes.judge import Judgement, judge
from orchestrator.core.changes.mapping import Definition, StepMapping, completed
from orchestrator.core.changes.roll_back import Passed, roll_back
from orchestrator.core.changes.suggestions import suggest
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import AttemptStatus, MappedOutcome, MappingKind, TaskStatus

KEYS = [f"S{n}" for n in range(6)]
STATUSES = [TaskStatus.PENDING, TaskStatus.ACTIVE, TaskStatus.BLOCKED, TaskStatus.REVIEW, TaskStatus.COMPLETE]


def definition(key: str, place: int = 0, title: str = "", **facts: object) -> Definition:
    view = TaskView(key, Place(0, place, 0, 0), gate=bool(facts.get("gate")))
    status = TaskStatus(str(facts.get("status", TaskStatus.PENDING)))
    live = AttemptStatus.RUNNING if status is TaskStatus.ACTIVE else None
    live = AttemptStatus.QUEUED if status is TaskStatus.REVIEW else live
    tried = status not in {TaskStatus.PENDING, TaskStatus.REVIEW}
    return Definition(replace(view, status=status, live=live), title or key, (title or key,), tried=tried)


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[Definition], list[Definition]]:
    """An old side in any state, and a new one that keeps, renames, redefines, drops and adds."""
    old, new = [], []
    for place, key in enumerate(draw(st.lists(st.sampled_from(KEYS), unique=True))):
        gate = draw(st.booleans())
        statuses = [s for s in STATUSES if gate or s is not TaskStatus.REVIEW]
        statuses = [s for s in statuses if not gate or s not in {TaskStatus.ACTIVE, TaskStatus.BLOCKED}]
        old.append(definition(key, place, gate=gate, status=draw(st.sampled_from(statuses))))
        if draw(st.integers(0, 3)):
            new.append(definition(key, place, title=draw(st.sampled_from(["", "other"])), gate=gate))
    new += [
        definition(key, 9, gate=draw(st.booleans())) for key in draw(st.sets(st.sampled_from(["N1", "N2"])))
    ]
    return old, new


@st.composite
def mappings(draw: st.DrawFn, old: list[Definition], new: list[Definition]) -> list[StepMapping]:
    keys, others = [one.key for one in old] + ["X"], [one.key for one in new] + ["Y"]
    lines = st.builds(
        StepMapping,
        st.lists(st.sampled_from(keys), max_size=2).map(tuple),
        st.lists(st.sampled_from(others), max_size=2).map(tuple),
        st.sampled_from([None, True, False]),
        st.sampled_from(["", "no longer needed"]),
    )
    return draw(st.lists(lines, max_size=3))


def by_old(judgement: Judgement) -> dict[str, MappedOutcome]:
    return {verdict.old: verdict.outcome for verdict in judgement.verdicts if verdict.old}


@given(st.data())
def test_fr016_every_item_has_exactly_one_verdict_and_none_is_lost(data: st.DataObject) -> None:
    old, new = data.draw(sides())
    judgement = judge(old, new, data.draw(mappings(old, new)))
    if judgement.refused:
        return
    assert sorted(v.old for v in judgement.verdicts if v.old) == sorted(one.key for one in old)
    assert sorted(v.new for v in judgement.verdicts if v.new) == sorted(one.key for one in new)
    assert judgement.applies or judgement.stuck


@given(st.data())
def test_ec4_started_work_never_goes_or_changes_in_silence(data: st.DataObject) -> None:
    old, new = data.draw(sides())
    judgement = judge(old, new, data.draw(mappings(old, new)))
    if judgement.refused:
        return
    items, there = {one.key: one for one in old}, {one.key: one for one in new}
    said = {key: line for line in judgement.lines for key in line.old}
    for verdict in judgement.verdicts:
        if not verdict.old:
            assert verdict.status is TaskStatus.PENDING
            continue
        item, line = items[verdict.old], said[verdict.old]
        if item.view.live is AttemptStatus.RUNNING:
            assert verdict.status is item.view.status, "a running attempt goes on"
            assert there[verdict.new].facts == item.facts
        started = item.tried or item.view.status is not TaskStatus.PENDING
        if started and not verdict.new and line.kind is MappingKind.DROPPED:
            assert line.reason
        if verdict.new and verdict.status is TaskStatus.COMPLETE and there[verdict.new].facts != item.facts:
            assert line.redo is False


@given(st.data())
def test_fr016_the_same_input_gives_the_same_judgement(data: st.DataObject) -> None:
    old, new = data.draw(sides())
    lines = data.draw(mappings(old, new))
    assert judge(old, new, lines) == judge(old, new, lines)
    assert suggest(old, new) == suggest(old, new)


@given(sides())
def test_fr016_an_unchanged_version_keeps_everything(pair: tuple[list[Definition], list[Definition]]) -> None:
    old, _ = pair
    judgement = judge(
        old, [replace(one, view=replace(one.view, status=TaskStatus.PENDING, live=None)) for one in old]
    )
    assert judgement.applies
    assert [v.status for v in judgement.verdicts] == [one.view.status for one in old]


@given(st.data())
def test_fr016_a_roll_back_at_once_is_the_inverse(data: st.DataObject) -> None:
    old, new = data.draw(sides())
    judgement = judge(old, new, data.draw(mappings(old, new)))
    if not judgement.applies:
        return
    before, there = {one.key: one for one in old}, {one.key: one for one in new}
    passed = [
        Passed(
            v.old,
            v.new,
            v.kind,
            before[v.old].view.status if v.old else None,
            replace(there[v.new].view, status=v.status, live=_live(before.get(v.old), v.outcome))
            if v.new
            else None,
            changed=bool(v.old and v.new and before[v.old].facts != there[v.new].facts),
            untouched=True,
        )
        for v in judgement.verdicts
    ]
    back = {v.new: v.status for v in roll_back(passed) if v.new}
    for key, one in before.items():
        relaunched = one.view.status is TaskStatus.REVIEW and back[key] is TaskStatus.PENDING
        assert back[key] is one.view.status or relaunched
    assert set(back) == set(before)


def _live(old: Definition | None, outcome: MappedOutcome) -> AttemptStatus | None:
    return old.view.live if old and outcome is not MappedOutcome.AGAIN else None


def test_fr016_a_step_that_nothing_can_start_is_named() -> None:
    stuck = definition("S1", 0)
    stuck = replace(stuck, view=replace(stuck.view, needs=("S2",)))
    judgement = judge([definition("S1")], [stuck, definition("S2", 1)])
    assert judgement.stuck == ("S1", "S2")
    assert not judgement.applies


def test_fr016_what_follows_a_step_that_is_done_again_is_done_again() -> None:
    old = [definition("S1", 0, status=TaskStatus.COMPLETE), definition("S2", 1, status=TaskStatus.COMPLETE)]
    new = [definition("S1", 0, title="other"), definition("S2", 1)]
    judgement = judge(old, new, [StepMapping(("S1",), ("S1",), redo=True)])
    assert by_old(judgement) == {"S1": MappedOutcome.AGAIN, "S2": MappedOutcome.AGAIN}


def test_fr010_what_is_part_of_the_base_branch_is_not_done_again() -> None:
    old = [replace(definition("S1", 0, status=TaskStatus.COMPLETE), integrated=True)]
    judgement = judge(old, [definition("S1", title="other")], [StepMapping(("S1",), ("S1",), redo=True)])
    assert "part of the base branch" in judgement.refused[0].sentence


def test_fr016_suggestions_go_by_key_then_title_then_place() -> None:
    old = [
        definition("A", 0, "Write the parser"),
        definition("B", 1, "Ship it"),
        definition("C", 2, "Test all"),
    ]
    new = [
        definition("A", 5, "Anything"),
        definition("K", 7, "ship  it"),
        definition("L", 2, "Test all of it"),
    ]
    assert suggest(old, new) == (
        StepMapping(("A",), ("A",), suggested=True),
        StepMapping(("B",), ("K",), suggested=True),
        StepMapping(("C",), ("L",), suggested=True),
    )


def test_fr016_steps_that_a_mapping_leaves_out_stay_go_or_come_by_their_key() -> None:
    lines = completed([StepMapping(("B",), ("A",))], ["A", "B", "C"], ["A", "C", "D"])
    assert lines == (
        StepMapping(("B",), ("A",)),
        StepMapping(("A",), ()),
        StepMapping(("C",), ("C",)),
        StepMapping((), ("D",)),
    )


@pytest.mark.parametrize("key", ["old", "new"])
def test_fr016_a_line_as_data_comes_back_as_it_was(key: str) -> None:
    line = StepMapping(("A", "B") if key == "old" else ("A",), ("C",), True, "why")
    assert StepMapping.from_data(line.as_data()) == line
