"""The pages in real Chromium: accessible in both themes, no horizontal overflow, nothing that the policy blocks."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from orchestrator.services import interventions
from orchestrator.services.policies import change_policy
from tests.cast import NOON, Cast, Driver
from tests.web.rows import workstream

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 390, 320)


@pytest.fixture
def filled(transactional_db: None, cast: Cast) -> Driver:
    driver = Driver(cast)
    driver.start()
    driver.claim("A1")
    driver.fail("A1", "It broke.")
    interventions.flag_for_human(
        task_id=driver.task("B1").pk, note="Keep the column?", actor=cast.actor("contributor"), now=driver.tick()
    )
    for number, domain in enumerate(["search", "a domain whose name is long enough to wrap", ""]):
        workstream(cast.initiator, driver.now, domain=domain, tasks=(number, 2, 0))
    actor = cast.actor("approver")
    change_policy(
        slug="dod", title="Done", body="# Done\n\n- tested", reason="First.", impact="", actor=actor, now=NOON
    )
    return driver


@pytest.fixture
def open_page(browser: Any, live_server: Any, filled: Driver) -> Iterator[Any]:
    """Open an address as the superuser in a colour scheme; answers with the page and what its console said."""
    client = Client()
    client.force_login(filled.cast.admin)
    contexts = []

    def opened(address: str, scheme: str) -> tuple[Any, list[str]]:
        context = browser.new_context(color_scheme=scheme, base_url=live_server.url)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        assert page.goto(address).status == 200
        return page, said

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_every_screen(open_page: Any, filled: Driver, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    assert filled.workstream is not None
    history = f"/workstreams/{filled.workstream.uuid}/history/"
    for address in ("/", "/portfolio/?window=30d", "/history/", history, "/policies/", "/policies/dod/", "/tokens/"):
        page, said = open_page(address, scheme)
        page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (address, width)
        assert said == [], address
        for width in (WIDTHS[0], WIDTHS[-1]):
            page.set_viewport_size({"width": width, "height": 900})
            found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
            assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], (address, width)


@pytest.mark.django_db(transaction=True)
def test_filters_swap_the_results_and_the_back_button_restores_them(open_page: Any) -> None:
    page, said = open_page("/portfolio/", "light")
    page.locator("label.filter", has_text="Blocked").click()
    page.wait_for_url("**signal=blocked**")
    assert page.locator("[data-row]").count() == 1
    assert page.evaluate("document.activeElement.id") == "signal-blocked"
    page.locator("label.filter", has_text="30 days").click()
    page.wait_for_url("**window=30d**")
    page.go_back()
    page.wait_for_url("**window=&**")
    assert page.locator("header.top").count() == 1
    assert page.locator("#signal-blocked").is_checked()
    page.locator("svg.bar a").first.click()
    page.wait_for_url("**domain=**#list")
    assert page.locator("[data-row]").count() == 1
    assert said == []


@pytest.mark.django_db(transaction=True)
def test_the_keyboard_moves_through_rows_and_can_be_switched_off(open_page: Any) -> None:
    page, _ = open_page("/portfolio/", "light")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator(".is-here").count() == 1
    assert page.evaluate("document.activeElement.closest('[data-row]').classList.contains('is-here')")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.get_by_label("Shortcuts are on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    assert page.locator(".is-here").count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_chosen_theme_stays(open_page: Any) -> None:
    page, _ = open_page("/", "light")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Use dark colours").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 19, 22)"


@pytest.mark.django_db(transaction=True)
def test_the_administration_works_under_the_policy(open_page: Any, filled: Driver) -> None:
    assert filled.workstream is not None
    workflow = filled.workstream.version.workflow
    page, said = open_page(f"/admin/orchestrator/workflow/{workflow.pk}/change/", "light")
    page.get_by_label("Domain").fill("money")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    workflow.refresh_from_db()
    assert workflow.domain == "money"
    assert said == []
