"""The map in real Chromium: accessible in both themes, inside its own box on every screen (FR-002, WF-3)."""

import pytest

from tests.browser.conftest import OpenAs
from tests.browser.test_look import AXE, RULES, WIDTHS, violations
from tests.cast import PLAN, Cast, Driver

LANES = [b"", *(b"%c" % letter for letter in range(65, 75))]


def needs(lane: int, batch: int, step: int) -> bytes:
    """Every third step needs the one beside it."""
    return b" (needs %s%d%02d)" % (LANES[lane - 1], batch, step) if lane > 1 and step % 3 == 2 else b""


#: 300 steps in ten threads of three batches, with dependencies across threads.
LARGE = b"# Plan: Large\n\n## Stages\n\n### Stage 1: Build\n" + b"".join(
    b"\n##### Batch %02d: part %d\n" % (batch, batch)
    + b"".join(
        b"\n###### Thread %02d: lane %d of a service\n- Role: contributor\n" % (lane, lane)
        + b"".join(
            b"- %s%d%02d: Step %d%s\n  - Exit: done\n"
            % (LANES[lane], batch, step, step, needs(lane, batch, step))
            for step in range(1, 11)
        )
        for lane in range(1, 11)
    )
    for batch in range(1, 4)
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("large", [False, True], ids=["example", "300 steps"])
def test_fr002_map_is_accessible_and_scrolls_in_its_own_box(open_as: OpenAs, cast: Cast, large: bool) -> None:
    driver = Driver(cast)
    driver.start(LARGE if large else PLAN)
    driver.do(driver.ready()[0])
    work = driver.reload()
    page = open_as(cast.admin)
    for address in (
        f"/workstreams/{work.uuid}/" + ("map/" if large else ""),
        f"/plans/{work.version.workflow.slug}/v1/" + ("map" if large else ""),
    ):
        page.goto(address)
        page.evaluate(AXE)
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
                assert violations(page, {"type": "tag", "values": RULES}) == [], (address, width, scheme)
        boxes = page.locator(".plan-map a")
        assert boxes.count() == (300 if large else 6)


@pytest.mark.django_db(transaction=True)
def test_fr002_a_refresh_leaves_the_map_where_it_was_scrolled_to(open_as: OpenAs, cast: Cast) -> None:
    driver = Driver(cast)
    driver.start(PLAN)
    page = open_as(cast.admin)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"/workstreams/{driver.reload().uuid}/")
    page.evaluate("document.querySelector('#map-drawing').scrollLeft = 100")
    page.evaluate("document.querySelector('#board').dataset.seen = 'before'")
    page.locator("#board:not([data-seen])").wait_for()
    assert page.evaluate("document.querySelector('#map-drawing').scrollLeft") == 100
