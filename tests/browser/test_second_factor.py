"""An authenticator app in real Chromium: every page without scripts, and accessible with them (FR-011)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.signing_in import PASSWORD, App
from tests.browser.test_look import AXE, RULES, violations
from tests.cast import Cast


class Text:
    """A page as the secret's reader takes it."""

    def __init__(self, page: Any) -> None:
        self.content = page.content().encode()


@pytest.fixture
def pages(browser: Any, live_server: Any) -> Iterator[Any]:
    contexts = []

    def opened(script: bool) -> Any:
        context = browser.new_context(
            java_script_enabled=script, base_url=live_server.url, viewport={"width": 320, "height": 900}
        )
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Any) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def accessible(page: Any, script: bool) -> None:
    """Every rule, on the narrowest screen."""
    if script:
        page.evaluate(AXE)
        assert violations(page, {"type": "tag", "values": RULES}) == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("script", [False, True], ids=["without scripts", "with scripts"])
def test_fr011_a_person_sets_an_app_up_and_signs_in_with_it(
    pages: Any, cast: Cast, settings: Any, script: bool
) -> None:
    settings.SECOND_FACTOR_FOR = ["approver"]
    page = pages(script)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    sign_in(page)
    page.get_by_role("heading", name="Set up an authenticator app").wait_for()
    assert page.get_by_role("img", name="QR code").bounding_box()["width"] > 100
    accessible(page, script)
    app = App(Text(page))  # type: ignore[arg-type]  # it reads nothing else of an answer
    page.get_by_label("Code", exact=True).fill(app.code)
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    accessible(page, script)
    code = page.locator("code.secret").first.inner_text()
    page.get_by_role("link", name="go on").click()
    page.get_by_role("heading", name="Inbox").wait_for()
    page.goto("/account/second-factor/")
    accessible(page, script)
    page.context.clear_cookies()
    sign_in(page)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    accessible(page, script)
    page.wait_for_timeout(1100)  # the wait after one wrong code
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Inbox").wait_for()
    assert [line for line in said if "422" not in line] == []
