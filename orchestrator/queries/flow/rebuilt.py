"""A workstream's flow as the acts kept it, and as its history says it (FR-009, FR-013)."""

import json
from collections.abc import Iterator

from orchestrator.core.flow.folding import DatedFact, FoldedFlow, differences, fold
from orchestrator.core.flow.intervals import Interval, merged
from orchestrator.core.flow.keeping import KEPT, Tally
from orchestrator.core.replay import Fact, Unreadable
from orchestrator.models import HistoryEntry, StateInterval, Workstream


def flow_problems(workstream: Workstream) -> list[str]:
    """Everything in which the kept flow differs from history; empty when they agree."""
    try:
        folded = flow_by_history(workstream)
    except Unreadable as problem:
        return [str(problem)]
    return differences(folded, kept_flow(workstream))


def flow_by_history(workstream: Workstream) -> FoldedFlow:
    """What the history says. Raises Unreadable."""
    return fold(workstream.created_at, _dated_facts(workstream))


def kept_flow(workstream: Workstream) -> FoldedFlow:
    """What the tables say."""
    intervals = StateInterval.objects.filter(workstream=workstream, void=False)
    rows = intervals.values_list("state", "began_at", "ended_at")
    tally = Tally(**{name: getattr(workstream, name) for name in KEPT})
    return FoldedFlow(tally, merged(Interval(*row) for row in rows))


def _dated_facts(workstream: Workstream) -> Iterator[DatedFact]:
    entries = HistoryEntry.objects.filter(workstream=workstream).order_by("number")
    for entry in entries.iterator(chunk_size=1000):
        data = json.loads(entry.leaf).get("data") or {}
        fact = Fact(entry.sequence, entry.actor, entry.action, entry.subject, entry.reason, data)
        yield DatedFact(entry.recorded_at, fact)
