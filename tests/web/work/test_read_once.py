"""DC-5: a page reads the state of its workstream once, however many of its parts need it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orchestrator.services.people.interventions import flag_for_human
from tests.acceptance.test_dc5_decided_twice import at_gate
from tests.cast import Driver
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db
#: The most statements of a page, the session and the header of the page included.
MOST = 20


def _pages(driver: Driver) -> list[str]:
    row = driver.reload()
    stream, slug = f"/workstreams/{row.uuid}/", row.version.workflow.slug
    gate = f"/gates/{driver.task('MP1').pk}/"
    return [stream, f"{stream}tasks/A1/", f"{stream}tasks/C1/", gate, f"/plans/{slug}/v1/"]


def test_dc5_the_state_of_a_workstream_is_read_once(driver: Driver) -> None:
    at_gate(driver)
    client = signed_in(driver.cast.approver)
    for page in _pages(driver):
        with CaptureQueriesContext(connection) as made:
            assert client.get(page).status_code == 200
        states = [one for one in made.captured_queries if "lowest.open_batch" in one["sql"]]
        assert len(states) == (0 if page.startswith("/plans/") else 1), page
        assert len(made) <= MOST, (page, len(made))


def test_dc5_what_is_rarely_there_is_read_where_it_is(driver: Driver) -> None:
    """A question, a failure, a blocker and a learning each cost the page few statements more."""
    driver.start()
    driver.do("B1")
    driver.claim("A1")
    driver.fail("A1", "It broke.")
    flag_for_human(
        task_id=driver.task("C1").pk,
        note="Which rounding?",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    client = signed_in(driver.cast.approver)
    stream = f"/workstreams/{driver.reload().uuid}/"
    for page in (stream, f"{stream}tasks/A1/", f"{stream}tasks/C1/"):
        with CaptureQueriesContext(connection) as made:
            text = words(client.get(page))
        assert "Which rounding?" in text or "It broke." in text, page
        assert len(made) <= MOST + 6, (page, len(made))
