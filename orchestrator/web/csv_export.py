"""CSV as a stream, with cells that a spreadsheet cannot take for formulas (DC-7, fault B23)."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import StreamingHttpResponse

from orchestrator.core.invisible import reveal
from orchestrator.web.zone import project_zone

#: A cell that starts with one of these may run as a formula when the file is opened.
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """The text of a cell: a mark for what nobody sees, so that none of it turns the direction of the others
    (B8), and a leading apostrophe when it starts like a formula."""
    text = "" if value is None else reveal(str(value))
    return f"'{text}" if text.startswith(RISKY) else text


def moment(value: datetime | None) -> str:
    """ISO 8601 in the project time zone with its offset, to the second; empty when there is none."""
    if value is None:
        return ""
    if value.tzinfo is not UTC:
        return value.astimezone(project_zone()).isoformat(timespec="seconds")
    quarter = value.year, value.month, value.day, value.hour, value.minute // 15
    offset, said = _offset(settings.PROJECT_TIME_ZONE, *quarter)
    return f"{(value.replace(tzinfo=None) + offset).isoformat(timespec='seconds')}{said}"


@lru_cache(10_000)
def _offset(zone: str, year: int, month: int, day: int, hour: int, quarter: int) -> tuple[timedelta, str]:
    """How far the clocks of a zone are from UTC in a quarter of an hour, and how it is written: they are put
    forward and back between two of them."""
    local = datetime(year, month, day, hour, 15 * quarter, tzinfo=UTC).astimezone(ZoneInfo(zone))
    return local.utcoffset() or timedelta(), local.isoformat(timespec="seconds")[19:]


#: Stands between the cells of a row while they are looked at together; no text that is shown has it.
_BETWEEN: Final = "\x1f"
_FORMULA: Final = re.compile(f"{_BETWEEN}[{re.escape(''.join(RISKY))}]")
#: Rows that are written, and sent, together.
AT_ONCE: Final = 500


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The lines of the file, some at a time."""
    left = iter(rows)
    some = ["\ufeff", _written(header)]
    while some:
        yield "".join(some)
        some = [_line(row) for row in islice(left, AT_ONCE)]


def _line(row: Iterable[object]) -> str:
    """Nearly all rows are plain letters without a comma, which one look at all of their cells says."""
    cells = list(row)
    if None in cells:
        cells = ["" if cell is None else cell for cell in cells]
    together = _BETWEEN.join(["", *map(str, cells)])
    if together.isascii() and together.count(_BETWEEN) == len(cells):
        letters = together.replace(_BETWEEN, "")
        if letters.isprintable() and _FORMULA.search(together) is None:
            if '"' in letters or "," in letters:
                return _written(cells)
            return f"{together[1:].replace(_BETWEEN, ',')}\r\n"
    return _written([safe_cell(cell) for cell in cells])


def _written(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def csv_response(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
