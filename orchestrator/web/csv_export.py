"""CSV as a stream, with cells that a spreadsheet cannot take for formulas (DC-7, fault B23)."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

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
    return "" if value is None else value.astimezone(project_zone()).isoformat(timespec="seconds")


class _Line:
    """What csv.writer writes to: hands each line on instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(list(header))
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def csv_response(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
