"""WF-3 in real Chromium: comment as a draft, send it with the decision, find it again on the next version."""

import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.services.plans.plans import submit_plan
from tests.browser.test_look import AXE, RULES
from tests.cast import PLAN, Driver

LINE = PLAN.decode().splitlines().index("- B1: Gateway call") + 1
NEXT = PLAN.replace(
    b"- A2: Ledger report", b"- A3: Ledger archive\n  - Exit: archive is kept\n- A2: Ledger report"
)
SHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_wf3_a_review_from_draft_to_the_next_version(open_as: Any, driver: Driver, script: bool) -> None:
    slug = driver.submit().version.workflow.slug
    page = open_as(driver.cast.reviewer, script)
    page.goto(f"/plans/{slug}/v1/")
    page.get_by_role("button", name="Mark as viewed").first.click()
    page.locator(f"#L{LINE}").click()
    page.locator("textarea[name=body]:visible").first.fill("Which gateway?")
    page.get_by_role("button", name="Keep as draft").first.click()
    page.get_by_text("1 draft to send").wait_for()
    page.locator("#reason").fill("See my comment.")
    page.locator("#send-back").click()
    page.get_by_text("Sent back: what has to change").wait_for()
    submit_plan(
        source=NEXT,
        source_name="PLAN.md",
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
        workstream=driver.reload(),
        change_reason="Archive.",
    )
    page.goto(f"/plans/{slug}/v2/")
    assert page.get_by_text(f"on v1, line {LINE} · still applies to v2").count() == 1
    assert page.get_by_text("1 open comment").count() == 1
    assert page.locator(".decision-what").get_by_text(" sections viewed").count() == 1
    if script:
        accessible(page)


def accessible(page: Any) -> None:
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1280, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            if SHOTS and width != 320:
                page.screenshot(path=str(Path(SHOTS) / f"{scheme}-{width}.png"), full_page=True)
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (scheme, width)
            found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
            assert not found, [(scheme, width, one["id"], one["nodes"][0]["html"][:200]) for one in found]
