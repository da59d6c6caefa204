"""DC-1, DC-5: a workstream or plan that did not change since is not sent again when its page is reloaded."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from orchestrator.models import FormKey
from tests.cast import Driver
from tests.web.pages import htmx, signed_in

PAGES = ("workstream", "plan")


@pytest.fixture
def address(driver: Driver) -> Callable[[str], str]:
    driver.start()
    assert driver.workstream is not None
    found = {
        "workstream": f"/workstreams/{driver.workstream.uuid}/",
        "plan": f"/plans/{driver.workstream.version.workflow.slug}/v1/",
    }
    return found.__getitem__


def again(client: Client, address: str, before: HttpResponse) -> HttpResponse:
    return client.get(address, headers={"If-None-Match": before["ETag"], "Accept-Encoding": "gzip"})


@pytest.mark.parametrize("name", PAGES)
def test_dc1_a_page_that_did_not_change_is_not_sent_again(
    driver: Driver, address: Callable[[str], str], name: str
) -> None:
    client = signed_in(driver.cast.approver)
    first = client.get(address(name), headers={"Accept-Encoding": "gzip"})
    assert first["Cache-Control"] == "private, no-cache"
    same = again(client, address(name), first)
    assert (same.status_code, same.content) == (304, b"")
    assert again(client, address(name), same).status_code == 304


@pytest.mark.parametrize("name", PAGES)
def test_dc1_what_changed_is_sent(driver: Driver, address: Callable[[str], str], name: str) -> None:
    client = signed_in(driver.cast.approver)
    first = client.get(address(name))
    client.post(f"{address('plan')}comments/open", {"body": "Why so?", "line": "8"}, follow=True)
    driver.claim("A1")
    assert again(client, address(name), first).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_dc1_nobody_gets_a_copy_whose_forms_no_longer_work(
    driver: Driver, address: Callable[[str], str], name: str
) -> None:
    """FR-025: somebody who signed in anew, somebody else, and whoever sent a form since."""
    client = signed_in(driver.cast.approver)
    first = client.get(address(name))
    for user in (driver.cast.approver, driver.cast.observer):
        assert again(signed_in(user), address(name), first).status_code == 200
    assert again(client, address(name), first).status_code == 304
    FormKey.objects.create(user=driver.cast.approver, key="k" * 16, digest="d", created_at=timezone.now())
    assert again(client, address(name), first).status_code == 200


def test_dc1_a_part_and_a_refusal_are_sent_whole(driver: Driver, address: Callable[[str], str]) -> None:
    client = signed_in(driver.cast.approver)
    assert "ETag" not in client.get(address("workstream"), **htmx("board"))
    refused = client.post(f"{address('plan')}decide", {"decision": "approve"})
    assert refused.status_code >= 400
    assert "ETag" not in refused
