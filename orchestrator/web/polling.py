"""A refresh of a part in which nothing can have changed is answered by one statement, and a part in which
nothing can change is not refreshed (DC-5).

Whatever changes what waits for people, or where a workstream stands, is an entry of the history. The mark of
a part is the last entry when it was read, and a span of time, because ages and what was put off go by the
clock.
"""

from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse

from orchestrator.core.terms import OPEN_TASK, OPEN_WORKSTREAM, StepKind, WorkstreamStatus
from orchestrator.models import HistoryEntry, Task, Workstream
from orchestrator.web.show import part_asked

#: Seconds for which a list stands while nothing happens, and the board of a workstream.
SPAN: Final = 300
SPAN_OF_WORK: Final = 15


def mark_at(now: datetime) -> str:
    """How things stand now; one statement on an index."""
    last = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return f"{last or 0}.{int(now.timestamp()) // SPAN}"


def mark_of(workstream: Workstream, now: datetime) -> str:
    """How a workstream that came through `with_last_entry` stands now."""
    last: int = workstream.last_entry  # type: ignore[attr-defined]
    return f"{last}.{workstream.last_round}.{int(now.timestamp()) // SPAN_OF_WORK}"


def unchanged(request: HttpRequest, part: str, mark: str) -> HttpResponse | None:
    """Nothing at all (204) for a refresh of the part that was read when things stood like this."""
    asked = part_asked(request, frozenset({part}))
    return HttpResponse(status=204) if asked and request.GET.get("stood") == mark else None


def work_is_open() -> bool:
    """Whether any workstream is left that something may become of: else nobody is waited for."""
    return Workstream.objects.filter(status__in=OPEN_WORKSTREAM).exists()


def gates_are_open() -> bool:
    """Whether a gate is left that may come to wait for its signature."""
    gates = Task.objects.filter(step__kind=StepKind.GATE, status__in=OPEN_TASK)
    return gates.filter(workstream__status=WorkstreamStatus.ACTIVE).exists()


def tasks_are_open() -> bool:
    """Whether a task is left that may come to wait for a person."""
    return Workstream.objects.filter(status=WorkstreamStatus.ACTIVE, open_tasks__gt=0).exists()
