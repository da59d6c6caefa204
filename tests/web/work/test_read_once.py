"""DC-5: a page reads the state of its workstream once, however many of its parts need it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.acceptance.test_dc5_decided_twice import at_gate
from tests.cast import Driver
from tests.web.pages import signed_in

pytestmark = pytest.mark.django_db
#: The most statements of a page, the session and the header of the page included.
MOST = {"": 48, "tasks/A1/": 46, "tasks/C1/": 47}


def test_dc5_the_state_of_a_workstream_is_read_once(driver: Driver) -> None:
    at_gate(driver)
    client = signed_in(driver.cast.approver)
    stream = f"/workstreams/{driver.reload().uuid}/"
    pages = {f"{stream}{part}": most for part, most in MOST.items()}
    pages[f"/gates/{driver.task('MP1').pk}/"] = 33
    for page, most in pages.items():
        with CaptureQueriesContext(connection) as made:
            assert client.get(page).status_code == 200
        states = [one for one in made.captured_queries if "lowest.open_batch" in one["sql"]]
        assert len(states) == 1, page
        assert len(made) <= most, (page, len(made))
