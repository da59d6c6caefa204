"""WF-2, WF-8: several plans are shown as read, and a review says what becomes of their state.

In real Chromium.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from orchestrator.models import Workstream
from tests.browser.test_look import AXE, RULES, WIDTHS, violations
from tests.cast import PLAN, Cast

TASKS = """# Tasks: Lending

## Phase 1: Setup

- [x] T001 Create shelf.py
- [x] T002 Create card.py

**Checkpoint**: the shelf stands

## Phase 2: Loans

- [x] T003 Lend a book
- [ ] T004 Return a book
- [x] T005 Remind the reader
"""
CYCLE = (
    "# Plan: Round\n\n## Task Dependencies\n\n### Batch 1\n\n- **A1:** one (needs A2)\n- **A2:** "
    "two (needs A1)\n"
)


@pytest.fixture
def page(browser: Any, live_server: Any, transactional_db: None, cast: Cast) -> Iterator[Any]:
    client = Client()
    client.force_login(cast.admin)
    context = browser.new_context(reduced_motion="reduce", base_url=live_server.url)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    yield context.new_page()
    context.close()


def looks_right(page: Any, name: str) -> None:
    page.evaluate(AXE)
    # What scrolls out from under a bar that sticks to the window is not covered; the rule sees one moment.
    page.evaluate("for (const bar of document.querySelectorAll('.decision')) bar.style.position = 'static'")
    for width, scheme in zip((*WIDTHS, WIDTHS[0]), ("light", "dark", "light", "dark"), strict=True):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, width)
        assert violations(page, {"type": "tag", "values": RULES}) == [], (name, width, scheme)
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)


@pytest.mark.django_db(transaction=True)
def test_several_files_are_shown_submitted_and_reviewed_with_their_state(page: Any) -> None:
    page.goto("/plans/submit/")
    assert page.get_by_label("Take over what was done before").is_checked()
    files = {
        "lending.md": TASKS.encode(),
        "refunds.md": PLAN,
        "round.md": CYCLE.encode(),
        "notes.txt": b"none",
    }
    page.set_input_files(
        "#file", [{"name": name, "mimeType": "text/markdown", "buffer": data} for name, data in files.items()]
    )
    page.get_by_role("button", name="Check").click()
    page.get_by_role("heading", name="3 plans were read").wait_for()
    assert Workstream.objects.count() == 0
    looks_right(page, "several")
    page.get_by_role("button", name="Submit for review").click()
    page.get_by_role("heading", name="1 plan was refused").wait_for()
    looks_right(page, "refused")
    page.goto("/plans/lending/v1/")
    page.get_by_role("heading", name="Work that was done before").wait_for()
    looks_right(page, "adoption")
    page.goto("/plans/submit/")
    looks_right(page, "submit")
