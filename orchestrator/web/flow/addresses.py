"""Links of the flow pages: each keeps the chosen filters and says which items it is about (FR-013)."""

from functools import cache
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import FlowRow

#: The filters, which go with every link; the rest of an address says what a mark counts.
FILTERS = ("time", "since", "until", "domain", "owner", "workflow", "of", "status", "span")


class Links:
    """The addresses of a page with these filters in its own."""

    def __init__(self, query: QueryDict) -> None:
        self._filters = {key: value for key in query if key in FILTERS and (value := query.get(key))}
        self._items = f"{reverse('flow-items')}?"
        self._kept = urlencode(self._filters)

    def to(self, page: str, **changes: str) -> str:
        """A flow page with the filters, some of them changed."""
        chosen = {key: value for key, value in {**self._filters, **changes}.items() if value}
        return f"{reverse(page)}?{urlencode(chosen)}" if chosen else reverse(page)

    def items(self, show: FlowSet, on: str = "", cycle: str = "") -> str:
        """The items that a figure or a mark counts. A page has hundreds of these, so they are put together
        from words that need no quoting."""
        narrowed = f"show={show}{f'&on={on}' if on else ''}{f'&cycle={cycle}' if cycle else ''}"
        return f"{self._items}{narrowed}{f'&{self._kept}' if self._kept else ''}"

    def standing_at(self, column: str) -> str:
        """The items in progress that stand at a step, or a kind of steps."""
        return self.to("flow-items", show=FlowSet.IN_PROGRESS.value, at=column)

    def step(self, show: FlowSet, plan: str, key: str) -> str:
        """The items of plans with one name in which a step was worked on, or is in work."""
        return self.to("flow-items", show=show.value, of=plan, step=key)

    def items_between(self, show: FlowSet, since: str, until: str, cycle: str) -> str:
        """The items of a figure that were finished in some days."""
        return self.to("flow-items", show=show.value, since=since, until=until, cycle=cycle)


def history_of(row: FlowRow) -> str:
    """The history of an item, put together as above."""
    return f"{_workstreams()}{row.uuid}/history/"


@cache
def _workstreams() -> str:
    nothing = UUID(int=0)
    return reverse("workstream", args=[nothing]).removesuffix(f"{nothing}/")
