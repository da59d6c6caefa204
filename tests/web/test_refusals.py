"""Refusals are pages, fragments or JSON that say what happened and what to do next (FR-025)."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from orchestrator.core.errors import AlreadyClaimed
from orchestrator.web.refusals import RefusalMiddleware
from tests.cast import Cast


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


def test_an_unknown_address_says_where_to_start(reader: Client) -> None:
    response = reader.get("/nowhere/")
    assert response.status_code == 404
    assert "There is no page at this address." in response.content.decode()
    assert 'href="/"' in response.content.decode()


def test_a_machine_gets_json(reader: Client) -> None:
    response = reader.get("/nowhere/", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert response.json()["code"] == "not-found"
    assert response.json()["recovery"]


def test_htmx_shows_the_refusal_above_the_open_page(reader: Client, cast: Cast) -> None:
    """What was typed stays, because only the notices are replaced."""
    response = reader.post("/tokens/99/revoke/", headers={"HX-Request": "true"})
    assert response.status_code == 404
    assert response["HX-Retarget"] == "#notices"
    assert response.content.decode().strip().startswith('<div class="notice notice-blocked" role="alert"')
    assert "There is no such token." in response.content.decode()


def test_a_refusal_leads_back_to_the_page_it_came_from(reader: Client) -> None:
    text = reader.post(
        "/tokens/99/revoke/", headers={"Referer": "http://testserver/tokens/"}
    ).content.decode()
    assert 'href="http://testserver/tokens/"' in text
    foreign = reader.post(
        "/tokens/99/revoke/", headers={"Referer": "https://elsewhere.example/"}
    ).content.decode()
    assert "elsewhere" not in foreign


def test_b27_a_form_without_its_token_is_refused_with_the_way_out(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.observer)
    response = client.post("/tokens/", {"executor": "a"})
    assert response.status_code == 403
    assert "Open the page again and repeat what you did; nothing was changed." in response.content.decode()


def test_b25_a_foreign_host_is_refused_without_a_page(client: Client) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response["Content-Type"] == "text/plain"
    assert "ALLOWED_HOSTS" in response.content.decode(), "who has just named the server reads what to set"
    machine = client.get("/api/tasks/", headers={"Host": "evil.example"})
    assert (machine.status_code, machine.json()["code"]) == (400, "invalid-input")


def test_other_errors_are_not_refusals(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    middleware = RefusalMiddleware(view)
    assert middleware.process_exception(rf.get("/"), ValueError("x")) is None
    assert (
        middleware.process_exception(rf.get("/", headers={"Accept": "text/plain"}), AlreadyClaimed("x"))
        is not None
    )


def test_the_policy_forbids_everything_inline(client: Client) -> None:
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_sign_out_is_a_post(reader: Client) -> None:
    assert reader.get("/accounts/logout/").status_code == 405
    assert reader.post("/accounts/logout/").status_code == 302
    assert reader.get("/").status_code == 302


def test_a_wrong_password_is_said_plainly(client: Client, cast: Cast) -> None:
    text = client.post("/accounts/login/", {"username": "otto", "password": "wrong"}).content.decode()
    assert "do not match an account" in text
    assert 'value="otto"' in text
