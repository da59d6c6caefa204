"""One key moves or opens; it never signs, approves, rejects, sends or stores anything."""

import string
from typing import Any

import pytest
from django.urls import reverse

from orchestrator.models import GateReview, WorkflowVersion
from tests.cast import PLAN, Driver


@pytest.mark.django_db(transaction=True)
def test_no_single_key_changes_anything(open_as: Any, driver: Driver) -> None:
    """Every letter and digit, each on a page just opened, by somebody who may do everything."""
    gate, version = waiting(driver)
    page = open_as(driver.cast.admin, True)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
    for address in (
        version,
        gate,
        "/plans/submit/",
        reverse("plan-checks"),
        "/tokens/",
        "/interventions/",
        "/",
    ):
        assert page.goto(address).status == 200, address
        offered = page.evaluate("[...document.querySelectorAll('[data-key]')].map(one => one.dataset.key)")
        for key in sorted({*offered, *"arcx", *(string.ascii_uppercase + string.digits)[:3]}):
            opened(page, address)
            page.keyboard.press(key)
            page.wait_for_timeout(50)
    assert sent == []
    assert not GateReview.objects.exists()
    assert not WorkflowVersion.objects.exclude(status__in=["in_review", "approved"]).exists()


@pytest.mark.django_db(transaction=True)
def test_a_key_goes_to_the_signature_and_enter_gives_it(open_as: Any, driver: Driver) -> None:
    gate, _ = waiting(driver)
    page = open_as(driver.cast.reviewer, True)
    page.goto(gate)
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.id") == "approve"
    assert not GateReview.objects.exists()
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert GateReview.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_list_of_keys_says_so(open_as: Any, driver: Driver) -> None:
    page = open_as(driver.cast.reviewer, True)
    page.goto("/")
    page.keyboard.press("?")
    assert "Keys move and open." in page.locator("#keys").inner_text()


def opened(page: Any, address: str) -> None:
    """Go there, also where a link that a key has just opened is still on its way."""
    from playwright.sync_api import Error  # not installed where browser tests are skipped

    for left in reversed(range(5)):
        try:
            page.goto(address)
        except Error as interrupted:
            if not left or "interrupted by another navigation" not in interrupted.message:
                raise
            page.wait_for_load_state("networkidle")  # what was on its way has come, and interrupts no more
        else:
            return


def waiting(driver: Driver) -> tuple[str, str]:
    """The addresses of a gate that waits for its signature and of a version that waits for its decision."""
    driver.start()
    for key in ("A1", "A2", "B1"):
        driver.do(key)
    gate = f"/gates/{driver.task('MP1').pk}/"
    driver.submit(PLAN.replace(b"# Plan: Card refunds", b"# Plan: Card payments"))
    version = driver.reload().version
    return gate, f"/plans/{version.workflow.slug}/v{version.number}/"


@pytest.mark.django_db(transaction=True)
def test_wf3_from_the_sign_in_to_an_approval_by_keyboard_alone(
    browser: Any, live_server: Any, driver: Driver
) -> None:
    """At most 25 keys, the letters of the password not counted; with the pre-handoff review on the way."""
    version = driver.submit().version
    pressed: list[str] = []
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()

    def keys(*names: str) -> None:
        for name in names:
            page.keyboard.press(name)
            pressed.append(name)

    page.goto("/accounts/login/")
    keys(*"anna", "Tab")
    page.keyboard.type("secret-for-tests")
    keys("Enter")
    page.get_by_role("heading", name="Inbox").wait_for()
    keys("j", "o")
    page.wait_for_url(f"**/plans/{version.workflow.slug}/v1/*")
    keys("p", *"None.", "Tab", "Enter")
    page.get_by_text("Signed by anna").wait_for()
    keys("a", "Enter")
    page.get_by_text("approved", exact=False).first.wait_for()
    page.wait_for_load_state("networkidle")
    assert WorkflowVersion.objects.get().status == "approved"
    assert driver.reload().prehandoff.rationale == "None."
    assert len(pressed) <= 25
    context.close()
