"""AS-8, FR-027: the answer to a claim was lost; claiming what I hold answers with my token and my brief."""

import asyncio
import json

import pytest
from django.core.management import call_command

from orchestrator.models import Assignment
from tests.acceptance.accounts import contributor, tables
from tests.cast import Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.web.pages import signed_in, words


@pytest.mark.django_db
def test_as8_over_rest_the_claim_answers_again_and_changes_nothing(driver: Driver) -> None:
    driver.start()
    machine, attempt = Machine.of(driver.cast.builder()), driver.attempt("A1").pk
    status, first = machine.post(f"/api/attempts/{attempt}/claim")
    before = tables()
    again = machine.post(f"/api/attempts/{attempt}/claim")
    assert (status, again) == (200, (200, first))
    assert tables() == before
    assert first["token"] == Assignment.objects.get().token
    assert first["brief"]["task"]["key"] == "A1"
    proof = {str(one["id"]): "seen" for one in first["criteria"] if one["kind"] == "exit"}
    done = machine.post(f"/api/attempts/{attempt}/complete", {"token": first["token"], "evidence": proof})
    assert done[0] == 200
    ended = machine.post(f"/api/attempts/{attempt}/claim")
    assert (ended[0], ended[1]["code"]) == (409, "wrong-state"), "what has ended is held by nobody"


@pytest.mark.django_db
def test_as8_somebody_else_still_meets_the_holder(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1")
    others = [Machine.of(driver.cast.builder("builder-2")), Machine.of(contributor("mallory")[1])]
    mine = Machine.of(held.executor)
    before = tables()
    for other in others:
        status, answer = other.post(f"/api/attempts/{held.attempt_id}/claim")
        assert (status, answer["code"], "token" in answer) == (409, "already-claimed", False)
    busy = mine.post(f"/api/attempts/{driver.attempt('B1').pk}/claim")[1]
    assert (busy["details"]["attempt"], "answers with its token" in busy["recovery"]) == (
        held.attempt_id,
        True,
    )
    assert tables() == before


@pytest.mark.django_db(transaction=True)
def test_as8_over_mcp(driver: Driver) -> None:
    driver.start()
    secret, attempt = secret_of(driver.cast.builder()), driver.attempt("A1").pk

    async def agent() -> None:
        async with joined(secret) as session:
            first = await session.ok("claim_task", attempt_id=attempt)
            assert await session.ok("claim_task", attempt_id=attempt) == first
            assert first["brief"]["task"]["id"] == first["attempt"]["task"]

    asyncio.run(agent())
    assert Assignment.objects.count() == 1


@pytest.mark.django_db
def test_as8_on_the_page(driver: Driver) -> None:
    driver.start()
    carl, page = signed_in(driver.cast.contributor), f"/workstreams/{driver.reload().uuid}/tasks/A1"
    form = {"attempt": driver.attempt("A1").pk}
    assert carl.post(f"{page}/claim", form).status_code == 302
    before = tables()
    answer = carl.post(f"{page}/claim", form, follow=True)
    assert "You hold A1 now." in words(answer)
    assert f'name="token" value="{Assignment.objects.get().token}"' in answer.content.decode()
    assert tables() == before


@pytest.mark.django_db
def test_as8_on_the_command_line(driver: Driver, capsys: pytest.CaptureFixture[str]) -> None:
    driver.start()
    held = driver.claim("A1")
    before = tables()
    capsys.readouterr()
    call_command("call", "POST", f"/api/attempts/{held.attempt_id}/claim", "--executor", held.executor.name)
    assert json.loads(capsys.readouterr().out)["token"] == held.token
    assert tables() == before
