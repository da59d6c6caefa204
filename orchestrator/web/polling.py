"""A refresh of a list in which nothing can have changed is answered by two numbers (DC-5).

Whatever changes what waits for people is an entry of the history. The mark of a list is the last entry when
it was read, and a span of time, because ages and what was put off go by the clock.
"""

from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse

from orchestrator.models import HistoryEntry
from orchestrator.web.show import part_asked

#: Seconds for which a list stands while nothing happens.
SPAN: Final = 300


def mark_at(now: datetime) -> str:
    """How things stand now; one statement on an index."""
    last = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return f"{last or 0}.{int(now.timestamp()) // SPAN}"


def unchanged(request: HttpRequest, part: str, mark: str) -> HttpResponse | None:
    """Nothing at all (204) for a refresh of the part that was read when things stood like this."""
    asked = part_asked(request, frozenset({part}))
    return HttpResponse(status=204) if asked and request.GET.get("mark") == mark else None
