"""Addresses of acts: they take POST, and lead to their page when somebody opens them."""

from orchestrator.models import HistoryEntry, Intervention
from orchestrator.services.people.interventions import flag_for_human
from tests.cast import Driver
from tests.web.pages import signed_in


def test_an_act_that_is_opened_as_an_address_leads_to_its_page(driver: Driver) -> None:
    version = driver.submit().version
    driver.start()
    actor = driver.cast.actor("contributor")
    flag_for_human(task_id=driver.task("A1").pk, note="Which one?", actor=actor, now=driver.tick())
    workstream, gate = f"/workstreams/{driver.reload().uuid}/", f"/gates/{driver.task('MP1').pk}/"
    plan = f"/plans/{version.workflow.slug}/v1/"
    client = signed_in(driver.cast.admin)
    before = HistoryEntry.objects.count()
    for act, page in {
        f"{plan}decide": plan,
        f"{plan}prehandoff": plan,
        f"{gate}decide": gate,
        f"{workstream}acts/accept": workstream,
        f"{workstream}tasks/A1/claim": f"{workstream}tasks/A1/",
        f"/interventions/{Intervention.objects.get().pk}/done": "/interventions/",
    }.items():
        assert client.get(act).headers["Location"] == page
    assert HistoryEntry.objects.count() == before
