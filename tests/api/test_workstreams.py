"""FR-002, FR-015 over REST: the list, and one workstream with every task explained."""

import pytest

from tests.cast import Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db


def test_the_list_filters_by_status_and_domain(driver: Driver, machine: Machine) -> None:
    status, answer = machine.get("/api/workstreams/?status=active&domain=payments")
    assert (status, answer["count"]) == (200, 1)
    [item] = answer["items"]
    assert (item["uuid"], item["title"], item["open_tasks"]) == (str(driver.reload().uuid), "Card refunds", 6)
    assert machine.get("/api/workstreams/?status=completed")[1]["items"] == []
    status, refused = machine.get("/api/workstreams/?domain=other")
    assert (status, refused["details"]["field"]) == (422, "domain")
    assert machine.get("/api/workstreams/?limit=1&offset=1")[1] == {"count": 1, "items": []}


def test_one_workstream_shows_its_tasks_in_launch_order_with_reasons(
    driver: Driver, machine: Machine
) -> None:
    driver.claim("A1")
    status, answer = machine.get(f"/api/workstreams/{driver.reload().uuid}/")
    assert status == 200
    tasks = {task["key"]: task for task in answer["tasks"]}
    assert list(tasks) == ["A1", "B1", "A2", "MP1", "C1", "D1"]
    assert tasks["A1"]["explanation"]["reason"] == "running"
    assert tasks["A1"]["attempt"]["executor"] == "builder-A1"
    assert (tasks["A2"]["explanation"]["reason"], tasks["A2"]["explanation"]["holder"]) == ("thread", "A1")
    assert "A1" in tasks["A2"]["explanation"]["sentence"]


def test_the_number_of_queries_does_not_grow_with_the_tasks(
    driver: Driver, machine: Machine, django_assert_max_num_queries
) -> None:
    address = f"/api/workstreams/{driver.reload().uuid}/"
    with django_assert_max_num_queries(24):
        machine.get(address)
    # The rows, and what explains them, which is read once for each workstream on the page.
    with django_assert_max_num_queries(12):
        machine.get("/api/tasks/")


def test_artifacts_are_listed_in_sequence(driver: Driver, machine: Machine) -> None:
    driver.do("A1")
    status, answer = machine.get(f"/api/workstreams/{driver.reload().uuid}/artifacts/")
    assert (status, answer["count"]) == (200, len(answer["items"]))
    assert [item["sequence"] for item in answer["items"]] == list(range(1, answer["count"] + 1))
    assert {"attempt-queued", "attempt-started", "attempt-completed"} <= {
        item["event"] for item in answer["items"]
    }
    assert all(item["state"] == "committed" and item["commit"] for item in answer["items"])
    nowhere = machine.get("/api/workstreams/00000000-0000-0000-0000-000000000000/artifacts/")
    assert (nowhere[0], nowhere[1]["code"]) == (404, "not-found")


def test_the_contract_is_published(machine: Machine) -> None:
    status, contract = machine.get("/api/openapi.json")
    assert (status, contract["openapi"]) == (200, "3.1.0")
    assert "/api/attempts/{attempt_id}/claim" in contract["paths"]
    assert contract["components"]["securitySchemes"]["TokenOrSession"]["scheme"] == "bearer"
