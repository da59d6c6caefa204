"""The ends of the history's chains, which new entries are linked to (FR-009)."""

from collections.abc import Collection
from functools import cache

from orchestrator.models import HistoryEntry
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.sql import Joined, Table


def newest_entries(workstreams: Collection[int]) -> list[HistoryEntry]:
    """The newest entry of the whole history, of what belongs to no workstream, and of each of these
    workstreams, as far as there are any: each of them ends its chain."""
    found: dict[int, HistoryEntry] = {}
    for some in in_parts(sorted(workstreams)) if workstreams else [[]]:
        rows = [row["entry"] for row in _ends(len(some)).rows(*some)]
        found.update({entry.sequence: entry for entry in rows})
    return list(found.values())


@cache
def _ends(count: int) -> Joined:
    wanted = ", ".join(["%s"] * count) or "NULL"
    return Joined(
        {"entry": Table(HistoryEntry, ("sequence", "workstream_id", "number", "leaf_hash", "recorded_at"))},
        f"""orchestrator_historyentry entry WHERE entry.sequence IN (
  SELECT MAX(sequence) FROM orchestrator_historyentry
  UNION ALL SELECT (SELECT sequence FROM orchestrator_historyentry
    WHERE workstream_id IS NULL ORDER BY number DESC LIMIT 1)
  UNION ALL SELECT (SELECT own.sequence FROM orchestrator_historyentry own
    WHERE own.workstream_id = w.id ORDER BY own.number DESC LIMIT 1)
    FROM orchestrator_workstream w WHERE w.id IN ({wanted}))""",
    )
