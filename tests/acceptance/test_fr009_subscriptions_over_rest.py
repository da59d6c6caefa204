"""FR-009, FR-027: subscriptions over REST, a person's and an agent's own; every status of the interface is in
its description, the ones of faults too."""

import pytest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Subscription
from orchestrator.services.people.executors import register_executor
from orchestrator.web.refusals import server_error
from tests.cast import NOON, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db
ADDRESS = "/api/subscriptions/"
FEED = {"topics": ["gate waits", "step completed"], "channel": "feed"}


def test_fr009_an_agent_subscribes_for_itself(driver: Driver, client: Client, settings: Settings) -> None:
    driver.start()
    settings.PUBLIC_URL = "http://testserver"
    machine, other = Machine.of(driver.cast.builder("one")), Machine.of(driver.cast.builder("two"))
    status, made = machine.post(ADDRESS, FEED, key="once")
    assert (status, made["executor"], made["topics"]) == (201, "one", ["gate waits", "step completed"])
    assert machine.post(ADDRESS, FEED, key="once")[1]["id"] == made["id"]
    assert other.get(ADDRESS)[1]["items"] == []
    assert other.post(f"{ADDRESS}{made['id']}/end", {})[0] == 404
    feed = client.get(made["feed"].removeprefix("http://testserver"))
    assert (feed.status_code, feed["Content-Type"].split(";")[0]) == (200, "application/atom+xml")
    assert machine.post(f"{ADDRESS}{made['id']}/end", {})[1] == {"items": []}
    assert Subscription.objects.get().ended_at is not None


def test_fr009_a_person_sees_all_of_the_account(driver: Driver) -> None:
    driver.start()
    agent = Machine.of(driver.cast.builder("one"))
    assert agent.post(ADDRESS, FEED)[0] == 201
    own = register_executor(name="hands", kind=ExecutorKind.PERSON, user=driver.cast.contributor, now=NOON)
    person = Machine.of(own)
    slug = driver.reload().slug
    hook = {
        "topics": ["blocker"],
        "channel": "webhook",
        "address": "https://example.org/h",
        "workstream": slug,
    }
    status, made = person.post(ADDRESS, hook)
    assert (status, made["executor"], made["workstream"]) == (201, "", slug)
    assert len(made["secret"]) == 64
    assert [one["channel"] for one in person.get(ADDRESS)[1]["items"]] == ["feed", "webhook"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"topics": [], "channel": "feed"}, "topics"),
        ({"topics": ["weather"], "channel": "feed"}, "topics"),
        ({"topics": ["blocker"], "channel": "webhook", "address": "http://127.0.0.1/"}, "private network"),
        ({"topics": ["blocker"], "channel": "feed", "workstream": "nowhere"}, "nowhere"),
    ],
)
def test_fr009_what_cannot_be_told_is_refused(driver: Driver, wrong: dict[str, object], said: str) -> None:
    driver.start()
    status, refusal = Machine.of(driver.cast.builder("one")).post(ADDRESS, wrong)
    assert status in (404, 422)
    assert said in refusal["message"]


def test_fr027_every_operation_describes_405_and_500(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    operations = [one for methods in described["paths"].values() for one in methods.values()]
    assert all({"405", "500"} <= set(one["responses"]) for one in operations)


def test_fr027_a_fault_is_told_to_machines_as_the_description_says(rf: RequestFactory) -> None:
    answer = server_error(rf.get("/api/mine", headers={"Accept": "application/json"}))
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert b'"code": "internal-error"' in answer.content
