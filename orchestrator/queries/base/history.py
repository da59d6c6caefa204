"""The history as people read it: filtered, newest first (FR-009)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from django.db.models import Q, QuerySet
from django.http import QueryDict

from orchestrator.models import HistoryEntry, Task, Workstream


@dataclass(frozen=True, slots=True)
class Trail:
    """What the reader chose; everything narrows."""

    actor: str = ""
    action: str = ""
    text: str = ""
    workstream: Workstream | None = None

    @classmethod
    def read(cls, query: QueryDict, workstream: Workstream | None = None) -> Self:
        return cls(_clean(query, "actor"), _clean(query, "action"), _clean(query, "text"), workstream)

    @property
    def entries(self) -> QuerySet[HistoryEntry]:
        """Newest first by sequence: the clock may have been set back, the sequence never is."""
        return (
            HistoryEntry.objects.filter(self._conditions())
            .select_related("workstream", "corrects")
            .defer("leaf", "corrects__leaf")
            .order_by("-sequence")
        )

    def _conditions(self) -> Q:
        found = Q()
        if self.workstream is not None:
            found &= Q(workstream=self.workstream)
        if self.actor:
            found &= Q(actor=self.actor)
        if self.action:
            found &= Q(action=self.action)
        if self.text:
            found &= Q(subject__icontains=self.text) | Q(reason__icontains=self.text)
        return found

    def choices(self) -> dict[str, list[str]]:
        """The people and actions that this workstream's history, or the whole one, knows."""
        known = replace(self, actor="", action="", text="").entries.order_by()
        return {
            "actors": sorted(known.values_list("actor", flat=True).distinct(), key=str.casefold),
            "actions": sorted(known.values_list("action", flat=True).distinct()),
        }


def step_keys(entries: Iterable[HistoryEntry]) -> set[tuple[int, str]]:
    """Which subjects name a step: pairs of workstream id and step key, in one query for all entries."""
    named = {(e.workstream_id, first_word(e.subject)) for e in entries if e.workstream_id is not None}
    tasks = Task.objects.filter(
        workstream__in={number for number, _ in named}, step__key__in={word for _, word in named}
    )
    return set(tasks.order_by().values_list("workstream_id", "step__key"))


def first_word(subject: str) -> str:
    return subject.partition(" ")[0]


def _clean(query: QueryDict, key: str) -> str:
    return query.get(key, "").replace("\x00", "").strip()[:200]
