"""B25 to B30: who may call, and what a call cannot set."""

import pytest
from django.test import Client

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import AccessToken, Task
from orchestrator.services.people.executors import register_executor, revoke_token
from tests.cast import NOON, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db

READS = ["/api/workstreams/", "/api/tasks/", "/api/history/", "/api/portfolio/"]


@pytest.mark.parametrize("address", READS)
def test_b30_without_a_token_there_is_no_answer(address: str) -> None:
    response = Client().get(address, headers={"accept": "application/json"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "not-signed-in"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic YTpi", "Bearer \u00e4"])
def test_b30_a_wrong_token_is_refused(header: str) -> None:
    response = Client().get("/api/tasks/", headers={"authorization": header})
    assert (response.status_code, response.json()["code"]) == (401, "not-signed-in")


def test_b30_a_revoked_token_stops_working_at_once(driver: Driver, machine: Machine) -> None:
    assert machine.get("/api/tasks/")[0] == 200
    revoke_token(token_id=AccessToken.objects.get().pk, actor=driver.cast.actor("contributor"), now=NOON)
    assert machine.get("/api/tasks/")[0] == 401
    status, answer = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    assert (status, answer["code"]) == (401, "not-signed-in")
    assert driver.attempt("A1").status == "queued"


def test_a_token_of_a_closed_account_is_refused(driver: Driver, machine: Machine) -> None:
    driver.cast.contributor.is_active = False
    driver.cast.contributor.save()
    assert machine.get("/api/tasks/")[0] == 401


@pytest.mark.parametrize(
    ("scopes", "method", "address"),
    [
        ({"work"}, "GET", "/api/tasks/"),
        ({"work"}, "GET", "/api/mine"),
        ({"read", "manage"}, "POST", "/api/attempts/{attempt}/claim"),
        ({"read", "work"}, "POST", "/api/plans/"),
        ({"read", "work"}, "PATCH", "/api/workstreams/{workstream}/"),
    ],
)
def test_a_token_does_only_what_its_scopes_say(
    driver: Driver, scopes: set[str], method: str, address: str
) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder(), frozenset(scopes))
    place = address.format(attempt=driver.attempt("A1").pk, workstream=driver.reload().uuid)
    body = {"POST": {"source": "x"}, "PATCH": {"status": "archived"}}.get(method)
    status, answer = machine.call(method, place, body)
    assert (status, answer["code"]) == (403, "not-allowed")
    assert "lacks the scope" in answer["message"]
    assert driver.attempt("A1").status == "queued"


def test_scopes_do_not_replace_roles(driver: Driver, machine: Machine) -> None:
    """The contributor's token may manage, but only an approver accepts."""
    driver.finish()
    status, answer = machine.patch(f"/api/workstreams/{driver.reload().uuid}/", {"status": "completed"})
    assert (status, answer["code"]) == (403, "not-allowed")
    assert "approver" in answer["message"]
    assert driver.reload().status == "active"


def test_a_session_reads_and_needs_a_csrf_token_to_act(driver: Driver) -> None:
    driver.start()
    task = driver.task("A1")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(driver.cast.contributor)
    assert browser.get("/api/tasks/").json()["count"] == 6
    body = {"intervention_note": "Which currency?"}
    without = browser.post(f"/api/tasks/{task.pk}/flag", body, content_type="application/json")
    assert (without.status_code, without.json()["code"]) == (403, "not-allowed")
    assert not driver.task("A1").needs_human

    browser.cookies["csrftoken"] = "a" * 32
    headers = {"x-csrftoken": "a" * 32}
    response = browser.post(
        f"/api/tasks/{task.pk}/flag", body, content_type="application/json", headers=headers
    )
    assert response.status_code == 200
    assert driver.task("A1").intervention_note == "Which currency?"


def test_b26_a_foreign_origin_is_refused_for_sessions(driver: Driver) -> None:
    driver.start()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(driver.cast.contributor)
    browser.cookies["csrftoken"] = "a" * 32
    headers = {"x-csrftoken": "a" * 32, "origin": "https://evil.example"}
    address = f"/api/tasks/{driver.task('A1').pk}/flag"
    response = browser.post(
        address, {"intervention_note": "x"}, content_type="application/json", headers=headers
    )
    assert response.status_code == 403
    assert not driver.task("A1").needs_human


def test_b25_a_foreign_host_is_refused(machine: Machine) -> None:
    headers = {"authorization": f"Bearer {machine.secret}", "host": "evil.example"}
    assert Client().get("/api/tasks/", headers=headers).status_code == 400


def test_a_token_is_judged_alone_even_with_a_session(driver: Driver) -> None:
    browser = Client()
    browser.force_login(driver.cast.admin)
    assert browser.get("/api/tasks/", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_b28_an_attempt_of_another_executor_cannot_be_reported(driver: Driver, machine: Machine) -> None:
    driver.claim("A1")
    attempt = driver.attempt("A1")
    body = {"token": attempt.assignment.token, "breadcrumb": "mine now"}
    status, answer = machine.post(f"/api/attempts/{attempt.pk}/report", body)
    assert (status, answer["code"]) == (409, "stale-token")
    assert driver.task("A1").breadcrumb == ""


def test_b28_what_does_not_exist_is_not_found(machine: Machine) -> None:
    for address in ("/api/tasks/99999/", "/api/attempts/99999/claim", "/api/tasks/99999999999999999999/"):
        method = "POST" if address.endswith("claim") else "GET"
        status, answer = machine.call(method, address)
        assert (status, answer["code"]) == (404, "not-found")


def test_b29_members_that_a_route_does_not_name_are_refused(driver: Driver, machine: Machine) -> None:
    task = driver.task("A1")
    body = {"needs_human": True, "intervention_note": "Help", "status": "complete", "last_token": 77, "id": 9}
    status, refusal = machine.patch(f"/tasks/{task.pk}/", body)
    assert (status, refusal["code"]) == (422, "invalid-input")
    after = Task.objects.get(pk=task.pk)
    assert (after.status, after.last_token, after.needs_human) == ("pending", 0, False)


def test_an_observer_does_not_claim(driver: Driver) -> None:
    driver.start()
    spy = register_executor(name="spy", kind=ExecutorKind.AGENT, user=driver.cast.observer, now=NOON)
    status, answer = Machine.of(spy).post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    assert (status, answer["code"]) == (403, "not-allowed")
    assert driver.attempt("A1").status == "queued"
