"""The execution dashboard as a page: what EXECUTION-DASHBOARD.md says, from the same view (BX-6).

Batches fold, so that five hundred tasks stay readable; a filter opens those with what it finds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.core.files.board import BatchBlock, DashboardView, GateBlock
from orchestrator.core.files.marks import Mark, StepLine
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Workstream
from orchestrator.queries.base.asked import Asked
from orchestrator.queries.base.history import with_last_entry
from orchestrator.queries.work.projection import Board
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.web.acting import now, number_in
from orchestrator.web.polling import mark_of, unchanged
from orchestrator.web.show import show

#: Tasks of a workstream of which every batch carries its rows; a larger one loads a batch when it is opened.
WHOLE: Final = 60
#: Characters of the text in key or title that are looked for.
MOST_WORDS: Final = 80
#: Rows that a filter shows.
MOST_FOUND: Final = 200
PARTS: Final = frozenset({"results", "board"})


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for: a mark, and text in key or title."""

    mark: str
    text: str

    @property
    def given(self) -> bool:
        return bool(self.mark or self.text)

    def takes(self, step: StepLine) -> bool:
        words = f"{step.key} {step.title}".casefold()
        return (not self.mark or step.mark.word == self.mark) and self.text.casefold() in words


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch on the page: `steps` and `gates` are those that it shows; `loaded` says that they are here."""

    number: int
    batch: BatchBlock
    waiting: str
    steps: tuple[StepLine, ...]
    gates: tuple[GateBlock, ...]
    loaded: bool
    unfolded: bool

    @property
    def done(self) -> int:
        return sum(step.mark is Mark.DONE for step in self.batch.lines)


def shown_batches(view: DashboardView, wanted: Filter, opened: int = 0) -> Iterator[ShownBatch]:
    """Each batch with what it shows; with a filter those that have something it takes."""
    whole, left = view.counted[1] <= WHOLE, MOST_FOUND
    for number, batch in enumerate(view.batches, start=1):
        waiting = view.waiting_of(batch)
        if not wanted.given:
            current = not waiting and any(step.mark is not Mark.DONE for step in batch.lines)
            loaded = whole or current or number == opened
            yield ShownBatch(
                number, batch, waiting, batch.steps, batch.gates, loaded, current or number == opened
            )
            continue
        steps = tuple(step for step in batch.steps if wanted.takes(step))[:left]
        gates = tuple(gate for gate in batch.gates if wanted.takes(gate.step))
        left -= len(steps)
        if steps or gates:
            yield ShownBatch(number, batch, waiting, steps, gates, loaded=True, unfolded=True)


@require_GET
def workstream_dashboard(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = find_workstream(uuid, with_last_entry(Workstream.objects.all()))
    stood = mark_of(found, now())
    if same := unchanged(request, "board", stood):
        return same
    board = Board.of(found)
    view = board.view() if board else None
    asked = Asked(request.GET, {"mark": "State", "q": "Key or title"}, beside=("batch",))
    wanted = Filter(asked.one_of("mark", [mark.word for mark in Mark]), asked.text("q", MOST_WORDS))
    opened = number_in(request.GET.get("batch", ""))
    batches = list(shown_batches(view, wanted, opened)) if view else []
    context = {
        "workstream": found,
        "view": view,
        "batches": batches,
        "found": sum(len(one.steps) + len(one.gates) for one in batches),
        "most": MOST_FOUND,
        "filters": wanted,
        "unknown": asked.unknown,
        "stood": stood,
        "marks": [mark.word for mark in Mark],
        "moving": found.status == WorkstreamStatus.ACTIVE and found.open_tasks > 0,
    }
    part = f"rows-{opened}"
    if getattr(request.htmx, "target", "") == part:  # type: ignore[attr-defined]
        one = next((one for one in batches if one.number == opened), None)
        return show(request, "workstreams/dashboard_rows.html", context | {"one": one})
    return show(request, "workstreams/dashboard.html", context, parts=PARTS)


urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/dashboard/", workstream_dashboard, name="workstream-dashboard"),
]
