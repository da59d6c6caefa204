"""DC-5: HTMX pages serve the plan review, gate sign-off and intervention cards.

Each also answers without htmx.
"""

import pytest

from orchestrator.core.terms import GateDecision, VersionStatus
from orchestrator.models import GateReview, Intervention, WorkflowVersion
from orchestrator.services.people.interventions import flag_for_human
from tests.cast import Driver
from tests.web.pages import htmx, signed_in

WAYS = pytest.mark.parametrize("headers", [{}, htmx("decision")], ids=["plain", "htmx"])


@WAYS
def test_dc5_plan_review(driver: Driver, headers: dict[str, str]) -> None:
    version = driver.submit().version
    client = signed_in(driver.cast.approver)
    page = f"/plans/{version.workflow.slug}/v1/"
    form = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    assert f'hx-post="{page}decide"' in client.get(page).content.decode()
    response = client.post(page + "decide", form, **headers)
    then = response.headers["HX-Redirect" if headers else "Location"]
    assert f"/workstreams/{driver.reload().uuid}/" in then
    assert WorkflowVersion.objects.get().status == VersionStatus.APPROVED


@WAYS
def test_dc5_gate_sign_off(driver: Driver, headers: dict[str, str]) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    client = signed_in(driver.cast.reviewer)
    page = f"/gates/{driver.task('MP1').pk}/"
    assert f'hx-post="{page}decide"' in client.get(page).content.decode()
    response = client.post(page + "decide", {"decision": "approve"}, **headers)
    assert page in response.headers["HX-Redirect" if headers else "Location"]
    assert GateReview.objects.get().decision == GateDecision.APPROVED


@pytest.mark.parametrize("headers", [{}, htmx("cards")], ids=["plain", "htmx"])
def test_dc5_intervention_cards(driver: Driver, headers: dict[str, str]) -> None:
    driver.start()
    actor = driver.cast.actor("contributor")
    card = flag_for_human(
        task_id=driver.task("A1").pk, note="Which currency?", actor=actor, now=driver.tick()
    )
    client = signed_in(driver.cast.contributor)
    url = f"/interventions/{card.pk}/done"
    assert f'hx-post="{url}"' in client.get("/interventions/").content.decode()
    response = client.post(url, {"answer": "Euro."}, **headers)
    assert response.status_code == (200 if headers else 302)
    assert f'id="card-{card.pk}"' not in response.content.decode()
    assert Intervention.objects.get().answer == "Euro."
