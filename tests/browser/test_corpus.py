"""WF-2, WF-3 in real Chromium: plans that others wrote are submitted, read, approved where they can be, and
done.
"""

from typing import Any

import pytest

from orchestrator.core.plans.formats.folder import PlanSource
from orchestrator.models import Workstream
from orchestrator.queries.plans.readings import checked
from tests import corpus
from tests.browser.conftest import OpenAs
from tests.cast import Driver

PLANS = corpus.plans()
BUNDLE = [source for source in PLANS if source.name.startswith("bundle-ws-")]
ALONE = [source for source in PLANS if source not in BUNDLE]
pytestmark = [pytest.mark.nightly, pytest.mark.skipif(not PLANS, reason=corpus.MISSING)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("source", ALONE, ids=lambda source: source.name)
def test_wf2_wf3_a_real_plan_from_its_upload_to_its_end(
    open_as: OpenAs, driver: Driver, source: PlanSource
) -> None:
    page = open_as(driver.cast.initiator)
    page.goto("/plans/submit/")
    page.locator("#file").set_input_files(upload(source))
    page.locator("#submit").click()
    page.locator("#decision").wait_for()
    workstream = Workstream.objects.get()
    if blockers := checked(source.text).blockers:
        page.goto(address(workstream))
        assert page.locator("#blockers-title").inner_text().startswith(f"{len(blockers)} thing")
        assert not page.locator("#approve:not([disabled], [aria-disabled=true])").count()
        return
    reviewed(open_as(driver.cast.approver), workstream)
    finished(page, driver, workstream)


@pytest.mark.django_db(transaction=True)
def test_wf2_ad3_real_bundles_from_their_upload_to_their_end(open_as: OpenAs, driver: Driver) -> None:
    page = open_as(driver.cast.initiator)
    page.goto("/plans/submit/")
    page.locator("#file").set_input_files([upload(source) for source in BUNDLE])
    page.locator("#submit").click()
    page.get_by_label("as one bundle").check()
    page.get_by_label("Name of the bundle").fill("Pipeline")
    page.locator("#submit").click()
    page.get_by_text(f"{len(BUNDLE)} plans are submitted;").wait_for()
    workstreams = list(Workstream.objects.order_by("pk"))
    approver = open_as(driver.cast.approver)
    for workstream in workstreams:
        reviewed(approver, workstream)
    for workstream in workstreams:  # a folder is submitted in the order of its needs
        finished(page, driver, workstream)
        approver.goto(f"/workstreams/{workstream.uuid}/")
        approver.get_by_role("button", name="Accept").click()
        approver.get_by_text("Accepted").first.wait_for()


def upload(source: PlanSource) -> Any:
    return {"name": source.name.rsplit("/")[-1], "mimeType": "text/plain", "buffer": source.text.encode()}


def address(workstream: Workstream) -> str:
    return f"/plans/{workstream.version.workflow.slug}/v{workstream.version.number}/"


def reviewed(page: Any, workstream: Workstream) -> None:
    """Every section opened, the pre-handoff review signed, approved.

    Nothing on the page breaks on the way.
    """
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(address(workstream))
    for section in page.locator("details.section").all():
        if section.get_attribute("open") is None:
            section.locator("summary").first.click()
        section.locator(".section-lines").wait_for()
    sign_prehandoff(page)
    page.locator("#approve").click()
    page.wait_for_url(f"**/workstreams/{workstream.uuid}/**")
    assert errors == []


def sign_prehandoff(page: Any) -> None:
    section = page.locator("#prehandoff")
    if section.locator("#rationale-all").count():
        section.locator("#rationale-all").fill("Compared all of them.")
        section.get_by_role("button", name="is a duplicate").click()
        section.locator("#rationale-all").wait_for(state="detached")
    suspected = section.locator("div.note form:visible")
    while suspected.count():
        suspected.first.locator("input[value=override]").check()
        suspected.first.locator("textarea").fill("Compared both.")
        other = suspected.first.locator("input[name=other]").input_value()
        suspected.first.locator("button").click()
        section.locator(f"div.note form:visible input[value='{other}']").wait_for(state="detached")
    section.locator("#rationale").fill("Nothing else does this.")
    section.locator("#sign").click()
    section.get_by_text("Signed by").wait_for()


def finished(page: Any, driver: Driver, workstream: Workstream) -> None:
    """Simulated executors do and people sign what is ready, in the scheduler's order."""
    driver.workstream = workstream
    driver.advance()
    assert driver.finish().finished_at is not None
    page.goto(f"/workstreams/{workstream.uuid}/")
    page.locator(".notice-finished").wait_for()
