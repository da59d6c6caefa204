"""An agent does a step over MCP: find, read, claim, report, complete or fail.

Refusals say what to do next.
"""

import asyncio
import subprocess

import pytest
from django.db import connection

from orchestrator.models import AccessToken
from orchestrator.services.people.executors import revoke_token
from tests.cast import NOON, Driver
from tests.machines import secret_of
from tests.mcp.connection import connected, joined, process_environment, server

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_agent_does_a_step_from_finding_it_to_its_artifact(driver: Driver) -> None:
    driver.start()
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with connected(ORCHESTRATOR_TOKEN=secret) as session:
            ready = (await session.ok("list_claimable_tasks"))["items"]
            assert [task["key"] for task in ready] == ["A1", "B1"]
            brief = await session.ok("get_brief", task_id=ready[0]["id"])
            assert brief["task"]["explanation"]["reason"] == "queued"
            claim = await session.ok("claim_task", attempt_id=ready[0]["attempt"]["id"])
            attempt, token = claim["attempt"]["id"], claim["token"]
            await session.ok(
                "report_progress", attempt_id=attempt, token=token, breadcrumb="Wrote the entries."
            )
            missing = await session.refused("complete_task", attempt_id=attempt, token=token, evidence={})
            assert missing["code"] == "criteria-unmet"
            evidence = {str(c["id"]): "12 passed" for c in claim["criteria"] if c["kind"] == "exit"}
            done = await session.ok(
                "complete_task",
                attempt_id=attempt,
                token=token,
                evidence=evidence,
                outcome="Entries are written.",
                outputs={"notes.md": "# Notes\n"},
            )
            assert done["status"] == "completed"

    asyncio.run(agent())
    assert driver.task("A1").status == "complete"
    assert driver.task("A1").breadcrumb == "Wrote the entries."
    attempt = driver.attempt("A1")
    assert attempt.checks.get().evidence == "12 passed"
    output = attempt.artifacts.get(event="attempt-completed").outputs.get()
    assert output.path.endswith("/notes.md")
    assert bytes(output.content) == b"# Notes\n"


def test_two_agents_never_hold_one_attempt(driver: Driver) -> None:
    driver.start()
    attempt = driver.attempt("A1").pk
    first, second = secret_of(driver.cast.builder("one")), secret_of(driver.cast.builder("two"))

    async def agents() -> None:
        async with connected(ORCHESTRATOR_TOKEN=first) as one, connected(ORCHESTRATOR_TOKEN=second) as two:
            await one.ok("claim_task", attempt_id=attempt)
            refusal = await two.refused("claim_task", attempt_id=attempt)
            assert (refusal["code"], refusal["details"]["holder"]) == ("already-claimed", "one")
            stale = await two.refused("fail_task", attempt_id=attempt, token=1, error="not mine")
            assert stale["code"] == "stale-token"
            failed = await one.ok("fail_task", attempt_id=attempt, token=1, error="The compiler crashed.")
            assert (failed["status"], failed["error"]) == ("failed", "The compiler crashed.")

    asyncio.run(agents())
    assert driver.task("A1").status == "blocked"


def test_a_revoked_token_stops_a_running_session(driver: Driver) -> None:
    driver.start()
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with joined(secret) as session:
            await session.ok("list_claimable_tasks")
            await asyncio.to_thread(revoke)
            assert (await session.refused("list_claimable_tasks"))["code"] == "not-signed-in"

    def revoke() -> None:
        revoke_token(token_id=AccessToken.objects.get().pk, actor=driver.cast.actor("contributor"), now=NOON)
        connection.close()

    asyncio.run(agent())


def test_a_token_without_the_scope_is_refused(driver: Driver) -> None:
    driver.start()
    secret, attempt = secret_of(driver.cast.builder(), frozenset({"read"})), driver.attempt("A1").pk

    async def agent() -> None:
        async with joined(secret) as session:
            refusal = await session.refused("claim_task", attempt_id=attempt)
            assert (refusal["code"], refusal["details"]) == ("not-allowed", {"scope": "work"})
            assert (await session.ok("list_claimable_tasks"))["count"] == 2

    asyncio.run(agent())
    assert driver.attempt("A1").status == "queued"


def test_text_that_no_column_can_hold_is_refused(driver: Driver) -> None:
    driver.start()
    task = driver.task("A1").pk
    driver.cast.builder("local")

    async def agent() -> None:
        async with connected("--executor", "local") as session:
            refusal = await session.refused("flag_for_human", task_id=task, intervention_note="a\x00b")
            assert refusal["code"] == "invalid-input"

    asyncio.run(agent())


def test_fr025_arguments_that_do_not_fit_are_refused_in_our_words(driver: Driver) -> None:
    driver.start()
    attempt, secret = driver.attempt("A1").pk, secret_of(driver.cast.builder())
    wrong = [
        ("claim_task", {}, "attempt_id", "attempt_id is missing."),
        ("claim_task", {"attempt_id": "the first"}, "attempt_id", "attempt_id is no whole number."),
        ("claim_task", {"attempt_id": 10**30}, "attempt_id", "attempt_id is beyond all numbers"),
        ("report_progress", {"attempt_id": attempt}, "token", "token is missing. Wrong as well: breadcrumb."),
        (
            "complete_task",
            {"attempt_id": attempt, "token": 1, "evidence": {"first": "seen"}},
            "evidence",
            "evidence.first is no whole number.",
        ),
        ("check_plan", {"source": "# Plan: x", "format": "docx"}, "format", "format is none of 'plan', "),
        ("list_comments", {"workflow": "x", "resolved": "perhaps"}, "resolved", "is neither true nor false"),
        (
            "flag_for_human",
            {"task_id": 1, "intervention_note": ["Help"]},
            "intervention_note",
            "intervention_note is no text.",
        ),
    ]

    async def agent() -> None:
        async with joined(secret) as session:
            for tool, arguments, field, said in wrong:
                refusal = await session.refused(tool, **arguments)
                assert (refusal["code"], refusal["details"]) == ("invalid-input", {"field": field})
                assert said in refusal["message"], refusal
                assert tool in refusal["recovery"]
                assert "pydantic" not in str(refusal)

    asyncio.run(agent())
    assert driver.attempt("A1").status == "queued"


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "Set ORCHESTRATOR_TOKEN"),
        ([], {"ORCHESTRATOR_TOKEN": "wrong"}, "ORCHESTRATOR_TOKEN is not accepted. The token is"),
        (["--executor", "nobody"], {}, "There is no executor 'nobody'"),
    ],
)
def test_without_a_valid_executor_the_command_says_so_and_ends(
    db, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    command = server(*arguments)
    done = subprocess.run(
        [command.command, *command.args],
        env=process_environment() | environment,
        cwd=command.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
