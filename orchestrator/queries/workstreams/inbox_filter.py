"""What a reader of the inbox chose to see (FR-002)."""

from dataclasses import dataclass

from django.db.models import Q

from orchestrator.queries.workstreams.inbox_sources import NO_TASK, Source


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What a reader chose; empty means any."""

    kind: str = ""
    domain: str = ""
    workstream: str = ""
    mine: bool = False
    sort: str = ""

    @property
    def given(self) -> bool:
        return bool(self.kind or self.domain or self.workstream or self.mine)

    def conditions(self, source: Source, person: int) -> Q:
        to, found = source.workstream, Q()
        if self.domain:
            found &= Q(**{f"{to}domain": self.domain})
        if self.workstream:
            named = {f"{to}title__icontains": self.workstream}
            found &= Q(**named) | Q(**{f"{to}slug": self.workstream})
        if self.mine:
            owned = Q(**{f"{to}owner": person})
            found &= owned if source.task == NO_TASK else owned | Q(**{f"{source.task}owner": person})
        return found
