"""Words that are longer than a screen, in the titles of a plan and its steps: every page that shows them
still fits."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from orchestrator.services.people import interventions
from tests.cast import PLAN, Cast, Driver

WIDTHS = (1280, 320)
LONG = b"W" * 180
SOURCE = PLAN.replace(b"Card refunds", LONG).replace(b"Ledger report", LONG).replace(b"Gateway call", LONG)


@pytest.fixture
def titled(transactional_db: None, cast: Cast) -> Driver:
    driver = Driver(cast)
    driver.start(SOURCE.replace(b"payments", LONG[:60]))
    driver.do("A1", "A2")
    driver.claim("B1")
    note = LONG.decode()
    contributor = cast.actor("contributor")
    interventions.flag_for_human(
        task_id=driver.task("B1").pk, note=note, actor=contributor, now=driver.tick()
    )
    Driver(cast, driver.now).submit(SOURCE.replace(b"WWW", b"VVV"))
    return driver


def addresses(driver: Driver) -> Iterator[str]:
    assert driver.workstream is not None
    work = f"/workstreams/{driver.workstream.uuid}/"
    slug = driver.workstream.version.workflow.slug
    yield from ("/", "/portfolio/?window=all", "/history/", "/plans/", "/gates/", "/interventions/", "/flow/")
    yield from ("/flow/items/?time=all&show=registered", "/search/?q=Ledger", "/operating/", "/blockers/")
    yield from (work, *(f"{work}{page}/" for page in ("map", "timeline", "dashboard", "history", "files")))
    yield from (f"{work}tasks/A2/", f"{work}tasks/B1/", f"/gates/{driver.task('MP1').pk}/")
    yield from (
        f"/plans/{slug}/",
        f"/plans/{slug}/v1/",
        f"/plans/{slug}/v1/runs",
        "/library/",
    )


def test_a_long_word_widens_no_page(browser: Any, live_server: Any, titled: Driver) -> None:
    client = Client()
    client.force_login(titled.cast.admin)
    session = client.cookies["sessionid"].value
    with browser.new_context(base_url=live_server.url) as context:
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page, too_wide = context.new_page(), []
        for address in addresses(titled):
            assert page.goto(address).status == 200, address
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if over > 0:
                    too_wide.append((address.replace(str(titled.workstream.uuid), "…"), width, over))
    assert not too_wide, "\n".join(map(str, too_wide))
