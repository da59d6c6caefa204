"""DC-1: what a page of many tasks asks of the server's processor, counted in calls of functions: those of one
more task are few, whatever a machine takes for them."""

import os
import subprocess
import sys
from cProfile import Profile
from pathlib import Path

import pytest
from django.test import Client

from tests.acceptance.test_dc1_page_bytes import plan
from tests.cast import Driver
from tests.web.pages import signed_in

ROOT = Path(__file__).resolve().parents[3]
#: Calls for one more task that waits, in a batch of which the page says one line.
MOST = 700
#: About what a page of 500 tasks is made of; none of it becomes garbage that only the collector finds.
PAGE = """
import gc, orchestrator.wsgi
looks = []
gc.callbacks.append(lambda phase, facts: looks.append(phase))
kept = [[] for _ in range(40_000)]
print(len(looks))
"""


def calls(client: Client, address: str) -> int:
    client.get(address)  # what is made once, such as templates, is made
    profile = Profile()
    profile.enable()
    response = client.get(address)
    profile.disable()
    assert response.status_code == 200
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.django_db
def test_dc1_a_task_that_only_waits_costs_its_page_little(driver: Driver) -> None:
    client = signed_in(driver.cast.approver)
    small = Driver(driver.cast, driver.now).start()
    few = calls(client, f"/workstreams/{small.uuid}/")
    large = Driver(driver.cast, driver.now)
    large.start_afresh(plan(10))
    work = large.reload()
    assert work.open_tasks == 200
    many = calls(client, f"/workstreams/{work.uuid}/")
    assert (many - few) / 200 < MOST


def test_dc1_the_collector_does_not_look_through_a_page_while_it_is_made(tmp_path: Path) -> None:
    plain = os.environ | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
    done = subprocess.run(
        [sys.executable, "-c", PAGE],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=plain,
    )
    assert done.stdout == "0\n", done.stderr
