"""Flow rebuilt from history: what the acts kept has to be the same (FR-009, FR-013)."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from orchestrator.core.actions import Action
from orchestrator.core.changes.adoption import AdoptedAs
from orchestrator.core.engine.attention import is_finished
from orchestrator.core.flow.intervals import Interval, merged
from orchestrator.core.flow.keeping import KEPT, Tally, keep, state_of
from orchestrator.core.replay import Fact, State, TaskState, replay
from orchestrator.core.terms import DONE_TASK, OPEN_TASK, AttemptStatus

#: What starts a workstream, the first of them: somebody takes a step, or decides a gate.
STARTS = frozenset({Action.ATTEMPT_CLAIMED, Action.GATE_APPROVED, Action.GATE_REJECTED})
#: What may throw completed results away.
SENDS_BACK = frozenset({Action.WORK_SENT_BACK, Action.WORKSTREAM_MIGRATED})


class DatedFact(NamedTuple):
    """A history entry of a workstream and when it was recorded."""

    at: datetime
    fact: Fact


class FoldedFlow(NamedTuple):
    """A workstream's flow by its history: the tally, and the intervals that are over."""

    tally: Tally
    intervals: list[Interval]


def fold(registered: datetime, facts: Iterable[DatedFact]) -> FoldedFlow:
    """Fold the entries of one workstream, oldest first. Raises `replay.Unreadable`.

    Entries of one moment belong together: nothing lasts between them.
    """
    state, tally = State(), Tally(flow_since=registered)
    over: list[Interval] = []
    for at, entries in groupby(facts, key=lambda one: one.at):
        for entry in entries:
            before = _rework(state)
            replay([entry.fact], state)
            _note(tally, entry, grew=_rework(state) > before)
        _count(tally, state)
        started, finished = tally.started_at is not None, _finished(state)
        over += keep(tally, state_of(state.status, started, finished), at)
    return FoldedFlow(tally, merged(over))


def differences(folded: FoldedFlow, kept: FoldedFlow) -> list[str]:
    """A sentence for everything in which what was kept differs from what history says."""
    said = [
        f"{name} is {getattr(kept.tally, name)!s} in the tables, {getattr(folded.tally, name)!s} by history"
        for name in KEPT
        if getattr(kept.tally, name) != getattr(folded.tally, name)
    ]
    there, here = set(folded.intervals), set(kept.intervals)
    said += [f"history has {_shown(one)}, the tables do not" for one in sorted(there - here)]
    said += [f"the tables have {_shown(one)}, history does not" for one in sorted(here - there)]
    return said


def _shown(interval: Interval) -> str:
    return f"{interval.state} from {interval.began.isoformat()} to {interval.ended}"


def _note(tally: Tally, entry: DatedFact, *, grew: bool) -> None:
    action = entry.fact.action
    adopted = action == Action.WORK_ADOPTED and entry.fact.data["as"] in {
        AdoptedAs.COMPLETE,
        AdoptedAs.RESUMED,
    }
    if action in STARTS or adopted:
        tally.started_at = tally.started_at or entry.at
    tally.back_moves += int(grew and action in SENDS_BACK)


def _tasks(state: State) -> list[TaskState]:
    return [*state.tasks.values(), *state.dropped.values()]


def _rework(state: State) -> int:
    return sum(task.rework for task in _tasks(state))


def _finished(state: State) -> bool:
    statuses = [task.status for task in _tasks(state)]
    still_open = sum(status in OPEN_TASK for status in statuses)
    return is_finished(still_open, sum(status in DONE_TASK for status in statuses))


def _count(tally: Tally, state: State) -> None:
    tasks = _tasks(state)
    tally.running = sum(AttemptStatus.RUNNING in task.attempts.values() for task in tasks)
    tally.open_blockers = sum(len(task.blockers) for task in tasks)
    tally.reworking = sum(task.rework > 0 and task.status in OPEN_TASK for task in tasks)
