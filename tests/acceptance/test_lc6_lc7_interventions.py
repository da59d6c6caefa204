"""LC-6, LC-7: a task asks for a human with a note.

The amber card is answered and marked done, and work goes on.
"""

from orchestrator.core.terms import TaskStatus
from orchestrator.models import Intervention
from tests.cast import Driver
from tests.web.pages import signed_in, words


def flag(driver: Driver, note: str):
    client = signed_in(driver.cast.contributor)
    return client.post(f"/workstreams/{driver.reload().uuid}/tasks/A1/flag", {"note": note}, follow=True)


def test_lc6_a_flag_without_a_note_is_refused(driver: Driver) -> None:
    driver.start()
    response = flag(driver, "")
    assert response.status_code == 422
    assert "A task is flagged with an intervention note." in words(response)
    assert driver.task("A1").needs_human is False


def test_lc7_the_amber_card_is_answered_and_work_goes_on(driver: Driver) -> None:
    driver.start()
    flag(driver, "Which currency?")
    assert "Needs a human Which currency?" in words(signed_in(driver.cast.approver).get("/interventions/"))
    client = signed_in(driver.cast.approver)
    card = Intervention.objects.get()
    client.post(f"/interventions/{card.pk}/done", {"answer": "Euro."})
    assert "Nothing waits for a person" in words(client.get("/interventions/"))
    driver.do("A1")
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert "Euro." in words(client.get(f"/workstreams/{driver.reload().uuid}/tasks/A1/"))
