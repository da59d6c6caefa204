"""FR-009: a browser without network checks proofs and reports with the page that people keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import orchestrator.proofs
from orchestrator.models import HistoryCheckpoint, HistoryEntry
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import key_ring
from tests.cast import Driver
from tests.forged_reports import forgeries
from tests.web.pages import signed_in

PAGE = Path(orchestrator.proofs.__file__).parent / "verify.html"


@pytest.fixture
def offline(browser: Any) -> Iterator[Any]:
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(PAGE.as_uri())
    yield page
    context.close()


def test_fr009_the_page_without_network_proves_what_is_so_and_nothing_else(
    offline: Any, driver: Driver, tmp_path: Path
) -> None:
    workstream = driver.start()
    driver.finish()
    seal_and_anchor(now=driver.tick())
    old = HistoryCheckpoint.objects.order_by("size")[0]
    entry = HistoryEntry.objects.filter(action="gate approved").latest("sequence")
    client, key = signed_in(driver.cast.observer), str(key_ring().private.public)

    def checked(content: bytes, keys: str = key, kept: str = "") -> Any:
        file = tmp_path / "given"
        file.write_bytes(content)
        offline.get_by_label("Proof or report").set_input_files(file)
        offline.get_by_label("Public keys").fill(keys)
        offline.get_by_label("A checkpoint").fill(kept)
        offline.get_by_role("button", name="Check").click()
        return offline.locator("output")

    address = f"/history/{entry.sequence}/proof"
    proof, text = (client.get(f"{address}.{form}").content for form in ("json", "txt"))
    report = client.get(f"/workstreams/{workstream.uuid}/report.html").content
    grown = client.get(f"{address}.json?since={old.size}").content
    for good in (proof, text, report, grown):
        expect(checked(good)).to_have_class("good")
        expect(checked(b"{}")).to_have_class("bad")
    expect(checked(proof)).to_contain_text(f"entry {entry.sequence}, ")
    expect(checked(grown, kept=old.note)).to_contain_text(f"begins with the {old.size} entries")
    expect(checked(proof, kept=old.note)).to_have_class("bad")
    expect(checked(proof, "")).to_contain_text("The keys came with the file itself")
    for bad in (
        proof.replace(b"gate approved", b"gate rejected"),
        report.replace(b"asserted", b"proved", 1),
        *forgeries(report).values(),
    ):
        expect(checked(proof)).to_have_class("good")
        expect(checked(bad)).to_have_class("bad")
    assert offline.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
