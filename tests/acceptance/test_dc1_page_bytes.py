"""DC-1, DC-5: main pages stay light with 300 workstreams, 500 tasks and 5,000 entries of the history, counted
in bytes on the wire."""

import gzip
import re
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from orchestrator.core.actions import Action
from orchestrator.models import HistoryEntry
from tests.cast import Driver
from tests.web.pages import signed_in
from tests.web.rows import workstream

ROOT: Final = Path(__file__).resolve().parents[2]
WORKSTREAMS: Final = 300
ENTRIES: Final = 5_000
#: Bytes of a page whose files are known, and of one with all it brings.
WARM, COLD = 15_000, 45_000
BROUGHT: Final = ("orchestrator.css", "theme.js", "keys.js", "poll.js", "django_htmx/htmx-2.min.js")


def plan(batches: int = 25, threads: int = 4, steps: int = 5) -> bytes:
    """Five hundred steps."""
    lines = [
        "---",
        "domain: payments",
        "---",
        "# Plan: Five hundred",
        "",
        "## Summary",
        "",
        "Many steps.",
        "",
    ]
    lines += ["## Stages", "", "### Stage 1: Build", "", "#### Batches"]
    for batch in range(1, batches + 1):
        lines += ["", f"##### Batch {batch:02}: part {batch}"]
        for thread in range(1, threads + 1):
            lines += ["", f"###### Thread {thread:02}: lane {thread}", "- Role: contributor"]
            for step in range(1, steps + 1):
                key = f"{'ABCD'[thread - 1]}{(batch - 1) * steps + step}"
                lines += [f"- {key}: Ledger entries of part {batch}", "  - Exit: the entries add up"]
    return "\n".join(lines).encode()


@pytest.fixture
def large(driver: Driver) -> Driver:
    for number in range(WORKSTREAMS):
        domain = ("search", "payments", "shipping")[number % 3]
        workstream(
            driver.cast.initiator, driver.now, domain=domain, tasks=(number % 9, number % 5, number % 2)
        )
    driver.start(plan())
    _remember(driver)
    return driver


def _remember(driver: Driver) -> None:
    """Entries as a workstream of months leaves them; nothing here verifies their chain."""
    assert driver.workstream is not None
    last = HistoryEntry.objects.latest("sequence").sequence
    number = HistoryEntry.objects.filter(workstream=driver.workstream).latest("number").number
    entries = [
        HistoryEntry(
            sequence=last + place,
            number=number + place,
            workstream=driver.workstream,
            recorded_at=driver.now,
            actor=f"builder-{place % 7} (agent of builders)",
            action=Action.BREADCRUMB_LEFT,
            subject=f"{'ABCD'[place % 4]}{place % 120 + 1} attempt 1",
            reason=f"Ledger entries {place} to {place + 40} add up; went on with the next account.",
            leaf="{}",
            leaf_hash=sha256(str(place).encode()).hexdigest(),
        )
        for place in range(1, ENTRIES + 1)
    ]
    HistoryEntry.objects.bulk_create(entries, batch_size=500)


def brought() -> int:
    total = 0
    for name in BROUGHT:
        found = finders.find(name)
        assert isinstance(found, str), name
        total += len(gzip.compress(Path(found).read_bytes(), 9))
    return total


def wire(client: Client, address: str) -> int:
    response = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200, address
    return len(
        response.content if response.headers.get("Content-Encoding") else gzip.compress(response.content)
    )


def test_dc1_main_pages_stay_light(large: Driver) -> None:
    assert settings.DEBUG is False
    assert large.workstream is not None
    client, work = signed_in(large.cast.approver), f"/workstreams/{large.workstream.uuid}/"
    slug = large.workstream.version.workflow.slug
    pages = ("/", "/portfolio/", "/gates/", "/interventions/", "/plans/", "/flow/", "/history/")
    pages = (*pages, "/search/?q=ledger", f"{work}history/", f"{work}tasks/A1/")
    sizes = {
        address: wire(client, address)
        for address in (
            *(*pages, work, f"{work}dashboard/", f"{work}timeline/", f"/plans/{slug}/v1/"),
            *(f"{work}map/", f"/plans/{slug}/v1/map"),
        )
    }
    assert {address: size for address, size in sizes.items() if size > WARM} == {}
    assert max(sizes.values()) + brought() <= COLD, (sizes, brought())


def test_dc1_the_review_of_the_demo_is_light_with_all_of_its_text(driver: Driver) -> None:
    version = driver.submit((ROOT / "fixtures" / "plans" / "demo.PLAN.md").read_bytes()).version
    address = f"/plans/{version.workflow.slug}/v1/"
    client = signed_in(driver.cast.approver)
    assert wire(client, address) <= WARM, wire(client, address)
    assert client.get(address).content.count(b'class="line-no"') > 200


def test_dc1_pages_have_no_indentation_and_texts_keep_theirs(driver: Driver) -> None:
    version = driver.submit().version
    client, slug = signed_in(driver.cast.approver), version.workflow.slug
    for address in ("/", "/portfolio/", f"/plans/{slug}/v1/"):
        page = client.get(address).content.decode()
        assert re.findall(r"(?m)^[ \t]+\S.*", page) == [], address
    assert '<code class="line-text">  - Exit: unit tests pass</code>' in page
    again = client.get(f"/plans/submit/?of={slug}&from=1").content.decode()
    assert "\n  - Exit: unit tests pass" in unescape(again)
