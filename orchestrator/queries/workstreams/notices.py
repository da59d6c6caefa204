"""Notice: what is told of an entry of the history, with the page where it can be seen or decided (FR-009)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from orchestrator.core.people.topics import Topic
from orchestrator.models import Delivery, HistoryEntry, Task


@dataclass(frozen=True, slots=True)
class Notice:
    """`path` is the page on this server: of a gate that waits the gate itself, of what is about a step the
    step."""

    sequence: int
    topic: Topic
    said: str
    reason: str
    actor: str
    at: datetime
    workstream: str
    path: str


def gates_in(entry: HistoryEntry) -> list[str]:
    """The keys of the gates that a round launched."""
    return [str(key) for key in _data(entry).get("gates") or ()]


def notices_of(deliveries: Iterable[Delivery]) -> list[Notice]:
    """What each says, in their order; two statements whatever there are, if `entry__workstream` is there."""
    rows = list(deliveries)
    launches = [one.entry for one in rows if one.topic == Topic.GATE_WAITS]
    wanted = {(entry.workstream_id, key) for entry in launches for key in gates_in(entry)}
    tasks = Task.objects.filter(
        workstream__in={pk for pk, _ in wanted}, step__key__in={key for _, key in wanted}
    )
    found = tasks.values_list("workstream", "step__key", "pk", "step__title")
    gates: dict[tuple[int | None, str], tuple[int, str]] = {}
    for workstream, key, pk, title in found:
        gates[workstream, key] = (pk, title)
    return [_notice(one, gates) for one in rows]


def _notice(delivery: Delivery, gates: Mapping[tuple[int | None, str], tuple[int, str]]) -> Notice:
    entry, topic = delivery.entry, Topic(delivery.topic)
    said, path, reason = f"{entry.action.capitalize()}: {entry.subject}", _path(entry), entry.reason
    if topic == Topic.GATE_WAITS:
        keys = [key for key in gates_in(entry) if (entry.workstream_id, key) in gates]
        named = [f"{key} {gates[entry.workstream_id, key][1]}" for key in keys]
        said, reason = f"Asks for a signature: {', '.join(named)}", ""
        if len(keys) == 1:
            path = reverse("gate", args=[gates[entry.workstream_id, keys[0]][0]])
    title = entry.workstream.title if entry.workstream else ""
    return Notice(entry.sequence, topic, said, reason, entry.actor, entry.recorded_at, title, path)


def _path(entry: HistoryEntry) -> str:
    if entry.workstream is None:
        return reverse("history")
    if isinstance(key := _data(entry).get("task"), str) and key:
        return reverse("task", args=[entry.workstream.uuid, key])
    return reverse("workstream", args=[entry.workstream.uuid])


def _data(entry: HistoryEntry) -> Mapping[str, Any]:
    found: Any = json.loads(entry.leaf).get("data")
    return found if isinstance(found, dict) else {}
