"""LC-1, LC-3: a finished workstream is reviewed against the policy and accepted by an explicit act, never by
itself.
"""

from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import HistoryEntry
from orchestrator.services.workstreams.policies import change_policy
from tests.cast import Driver
from tests.web.pages import control, signed_in, words


def test_lc3_a_finished_workstream_is_reviewed_and_accepted(driver: Driver) -> None:
    driver.start()
    actor = driver.cast.actor("approver")
    change_policy(
        slug="definition-of-done",
        title="Definition of done",
        body="Every exit criterion has evidence.",
        reason="first",
        impact="None.",
        actor=actor,
        now=driver.tick(),
    )
    workstream = driver.finish()
    page = f"/workstreams/{workstream.uuid}/"
    client = signed_in(driver.cast.approver)
    before = client.get(page)
    assert "Finished" in words(before)
    assert "Every exit criterion has evidence." in words(before)
    assert "disabled" not in control(before, "accept")
    assert workstream.status == WorkstreamStatus.ACTIVE, "finished is derived; nothing accepts by itself"
    after = client.post(f"{page}acts/accept", {"note": "Looked at every artifact."}, follow=True)
    assert "Accepted by anna" in words(after)
    workstream.refresh_from_db()
    assert (workstream.status, workstream.accepted_by) == (WorkstreamStatus.COMPLETED, driver.cast.approver)
    assert HistoryEntry.objects.get(action="workstream accepted").reason == "Looked at every artifact."


def test_lc1_a_workstream_without_tasks_is_not_finished(driver: Driver) -> None:
    driver.submit()
    page = f"/workstreams/{driver.reload().uuid}/"
    response = signed_in(driver.cast.approver).get(page)
    assert " disabled" in control(response, "accept")
    assert "Finished" not in words(response)


def test_lc3_work_that_goes_back_makes_it_active_again(driver: Driver) -> None:
    driver.start()
    workstream = driver.finish()
    page = f"/workstreams/{workstream.uuid}/"
    client = signed_in(driver.cast.approver)
    client.post(f"{page}tasks/D1/send-back", {"reason": "The manual lacks a chapter."})
    response = client.get(page)
    assert "It is not finished: 1 open task left." in words(response)
    assert " disabled" in control(response, "accept")
