"""FR-027, FR-025: what people read on pages is read with a token; what is not understood is refused."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from orchestrator.models import AccessToken, Executor
from tests.cast import PLAN, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db


def test_fr009_plan_history_and_portfolio_are_read_with_a_token(driver: Driver) -> None:
    workstream = driver.start()
    machine = Machine.of(driver.cast.builder())
    status, plan = machine.get(f"/api/workstreams/{workstream.uuid}/plan")
    assert (status, plan["text"].encode(), plan["sha256"]) == (200, PLAN, workstream.version.source_sha256)
    assert machine.get(f"/api/workflows/{plan['workflow']}/versions/1/text")[1] == plan
    driver.claim("A1")
    status, history = machine.get(f"/api/history/?workstream={workstream.uuid}&limit=1")
    assert (status, history["count"] > 2) == (200, True)
    (newest,) = history["items"]
    assert (newest["action"], newest["subject"]) == ("attempt claimed", "A1 attempt 1")
    status, portfolio = machine.get("/api/portfolio/?state=active&domain=payments")
    assert (status, portfolio["count"]) == (200, 1)
    assert portfolio["items"][0]["slug"] == "card-refunds"
    assert portfolio["items"][0]["why"]
    assert machine.get("/api/portfolio/?state=finished")[1]["count"] == 0
    assert machine.get("/api/portfolio/?state=wild")[0] == 422


def test_fr015_lists_explain_each_task(driver: Driver) -> None:
    driver.start()
    tasks = Machine.of(driver.cast.builder()).get("/api/tasks/")[1]["items"]
    assert {one["key"]: one["explanation"]["reason"] for one in tasks}["A1"] == "queued"
    assert all(one["explanation"]["sentence"] for one in tasks)


def test_fr025_unknown_fields_and_criteria_are_refused_by_name(driver: Driver) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder())
    held = machine.post("/api/next", {})[1]["claim"]
    place, token = f"/api/attempts/{held['attempt']['id']}", held["token"]
    criterion = held["criteria"][0]
    status, refusal = machine.post(f"{place}/report", {"token": token, "breadcrumb": "x", "mood": "good"})
    assert (status, refusal["message"]) == (422, "mood: is no field of this request.")
    status, refusal = machine.post(f"{place}/complete", {"token": token, "evidence": {}})
    assert (status, refusal["code"]) == (422, "criteria-unmet")
    assert f"unit tests pass (criterion {criterion['id']})" in refusal["message"]
    wrong = {"token": token, "evidence": {"987654": "seen", str(criterion["id"]): "seen"}}
    status, refusal = machine.post(f"{place}/complete", wrong)
    assert (status, refusal["details"]) == (422, {"field": "evidence"})
    assert f"987654 is no criterion of A1. Evidence is asked for: {criterion['id']}" in refusal["message"]
    assert driver.attempt("A1").status == "running"


def test_fr027_the_description_and_its_page_are_open(driver: Driver) -> None:
    described = Client().get("/api/openapi.json")
    assert described.status_code == 200
    assert "/api/next" in described.json()["paths"]
    page = Client().get("/api/docs")
    assert page.status_code == 200
    assert "POST /api/next" in page.content.decode()
    assert "NextRequest" in page.content.decode()


def test_fr027_a_token_is_made_with_kind_scopes_and_an_end(driver: Driver, capsys) -> None:
    words = ["--user", "carl", "--kind", "tool", "--scope", "read", "--scope", "work", "--days", "7"]
    call_command("create_token", "--executor", "runner", *words)
    said = capsys.readouterr().out
    assert Executor.objects.get(name="runner").kind == "tool"
    assert "runner (tool of carl); it may read, work; it works until " in said
    token = AccessToken.objects.get(executor__name="runner")
    assert token.expires_at is not None
    assert (token.expires_at - token.created_at).days == 7
    with pytest.raises(CommandError, match="add --user"):
        call_command("create_token", "--executor", "runner", "--kind", "agent")
