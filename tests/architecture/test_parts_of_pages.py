"""Pages are put together from parts: a text field, a list's filters and its table are each written once."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
#: What a part holds, and where else it may stand, with the reason.
PARTS = {
    "<textarea(?![^>]*hidden)": {"site/text.html"},
    # Beside it: those of the flow, which a button sends, since charts are no answer to each change.
    'class="filter-form"': {"site/filters.html", "flow/filters.html", "flow/forecast.html"},
    # Beside it: one with a head that names a version, one with a caption to be seen, one of several bodies,
    # one with a foot of sums.
    'class="table stack': {
        "site/table.html",
        "workflows/workstreams.html",
        "policies/checks.html",
        "workstreams/batches.html",
        "flow/items.html",
    },
    # Beside it: items, which are counted otherwise than rows, and the same as JSON.
    "as CSV</a>": {"site/parts.html", "flow/items.html", "flow/page.html"},
}


def test_no_page_writes_a_part_by_hand() -> None:
    by_hand = []
    for path in TEMPLATES.rglob("*.html"):
        name, text = path.relative_to(TEMPLATES).as_posix(), path.read_text()
        by_hand += [
            f"{name}: {part}" for part, own in PARTS.items() if re.search(part, text) and name not in own
        ]
    assert by_hand == []
