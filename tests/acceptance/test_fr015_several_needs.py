"""FR-015, BX-6: a task that waits for several names all that are open, wherever somebody asks."""

import io

import pytest
from django.core.management import call_command

from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db
PLAN = b"""# Plan: Converging
## Stages
### Stage 1: all
##### Batch 01: one
###### Thread 01: left
- B1: Routing
- B2: Limits
###### Thread 02: right
- C1: Accounts
- C2: Sessions
###### Thread 03: both
- D1: Together
  - Depends on: B2, C2
"""


def test_fr015_bx6_every_open_need_is_named_on_page_rest_command_and_dashboard(driver: Driver) -> None:
    driver.start(PLAN)
    driver.do("B1")
    driver.claim("B2")
    work = driver.reload()
    client = signed_in(driver.cast.observer)
    page = words(client.get(f"/workstreams/{work.uuid}/tasks/D1/"))
    assert "waits for B2 + C2" in page
    assert "D1 waits for B2 + C2; B2: running" in page
    reader = Machine.of(driver.cast.builder("reader"))
    _, answer = reader.get(f"/api/tasks/{driver.task('D1').pk}/why/")
    assert answer["links"][0]["sentence"].startswith("waits for B2 + C2; B2: running on")
    assert answer["links"][0]["sentence"].endswith("; C2: not started")
    assert answer["sentence"].startswith("D1 waits for B2 + C2; B2: running on")
    out = io.StringIO()
    call_command("why", work.slug, "D1", stdout=out)
    assert "D1 waits for B2 + C2" in " ".join(out.getvalue().split())
    shown = words(client.get(f"/workstreams/{work.uuid}/dashboard/"))
    assert "waits for B2 + C2" in shown
    driver.complete("B2")
    driver.advance()
    assert "D1 waits for C2, which waits for C1" in words(client.get(f"/workstreams/{work.uuid}/tasks/D1/"))
