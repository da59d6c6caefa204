"""What somebody else decided first is said where the person looks, and the page is as it is now (DC-5)."""

from typing import Any

import pytest

from tests.browser.test_keys import waiting
from tests.cast import Driver
from tests.web.pages import signed_in

TOLD = ".notice-blocked[role=alert]"


def where_it_is(page: Any) -> dict[str, Any]:
    return page.evaluate(  # type: ignore[no-any-return]
        """() => {
            const notes = [...document.querySelectorAll(".notice-blocked[role=alert]")], note = notes[0];
            const box = note.getBoundingClientRect();
            return {seen: box.top >= 0 && box.bottom <= innerHeight, focused: document.activeElement === note,
                    notes: notes.length};
        }"""
    )


@pytest.mark.django_db(transaction=True)
def test_a_decision_on_a_stale_page_is_answered_where_it_is_seen(
    open_as: Any, driver: Driver, settings: Any
) -> None:
    settings.WITHDRAW_SECONDS = 60
    gate, plan = waiting(driver)
    late = {"gate": open_as(driver.cast.admin), "plan": open_as(driver.cast.admin)}
    first = signed_in(driver.cast.reviewer)
    for name, address in (("gate", gate), ("plan", plan)):
        page = late[name]
        page.set_viewport_size({"width": 1280, "height": 500})
        page.goto(address)
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    first.post(f"{gate}decide", {"decision": "reject", "reason": "No.", "return_key": "A2"})
    version = {"decision": "send-back", "reason": "No."} | {
        field: late["plan"].locator(f"#decision input[name={field}]").input_value()
        for field in ("version_id", "seen_sha256")
    }
    assert first.post(f"{plan}decide", version).status_code == 302
    for page in late.values():
        with page.expect_response("**/decide") as answer:
            page.locator("#approve").click()
        assert answer.value.status == 409
        page.locator(TOLD).wait_for()
        assert where_it_is(page) == {"seen": True, "focused": True, "notes": 1}
        assert page.locator("#approve").count() == 0
