"""FR-026, FR-009, B24: every line of the log belongs to a request, is one line, and holds no secret,
whichever way the secret came."""

import asyncio
import io
import json
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_q.signals import pre_execute

from orchestrator.core.terms import ExecutorKind
from orchestrator.queries.base.registered import masker
from orchestrator.services.base.log_lines import JsonFormatter, MaskingFormatter, identify
from tests.cast import Driver
from tests.machines import secret_of
from tests.mcp.connection import joined

#: Of the shapes in which secrets come; made up when the tests run.
PASSWORD, WRONG = f"Kettle-{secrets.token_hex(8)}", f"Teapot-{secrets.token_hex(8)}"
REGISTERED = f"blue-{secrets.token_hex(6)}"
CODE_HOST = "ghp_" + secrets.token_hex(18)
CHOSEN = "audit-7.request_1"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[list[io.StringIO]]:
    """Everything that is logged, at every level, as both formats write it."""
    settings.MASKED_NAMES = ["KITCHEN"]
    monkeypatch.setenv("KITCHEN", REGISTERED)
    masker.cache_clear()
    plain = MaskingFormatter("%(levelname)s %(name)s [%(request_id)s] %(message)s")
    written = [io.StringIO(), io.StringIO()]
    root, handlers = logging.getLogger(), []
    for stream, formatter in zip(written, (plain, JsonFormatter()), strict=True):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        root.addHandler(handler)
        handlers.append(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    logging.getLogger("django_q").setLevel(logging.DEBUG)
    yield written
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)
    masker.cache_clear()


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def broken(*_: Any, **__: Any) -> None:
    """A view that dies with what it was given in its words."""
    raise RuntimeError(f"no answer for {CODE_HOST} and {REGISTERED}\nat all")


def over_pages(driver: Driver, client: Client, secret: str) -> None:
    for password in (WRONG, PASSWORD):
        client.post(reverse("login"), {"username": driver.cast.reviewer.username, "password": password})
    client.get(reverse("search"), {"q": f"{REGISTERED} {CODE_HOST}"})
    client.get(f"/no-such-page/{CODE_HOST}/{secret}")
    address = reverse("task-act", args=[driver.workstream.uuid, "A1", "flag"])
    client.post(address, {"note": f"Use {REGISTERED}, or {CODE_HOST}"})
    client.post(reverse("login"), {"username": CODE_HOST, "password": PASSWORD})


def over_rest(driver: Driver, client: Client, secret: str) -> None:
    task = driver.task("A1").pk
    for token in (secret, secret[:-4] + "AAAA", PASSWORD):
        note = f"{REGISTERED} {CODE_HOST}"
        for body in ({"intervention_note": note}, {CODE_HOST: secret}, "{broken " + secret):
            client.post(
                f"/api/tasks/{task}/flag?token={secret}",
                body,
                content_type="application/json",
                headers={"authorization": f"Bearer {token}", "x-request-id": f"{secret}"},
            )


def over_mcp(driver: Driver, secret: str) -> None:
    task = driver.task("B1").pk

    async def call() -> None:
        async with joined(secret) as session:
            note = f"{CODE_HOST} {REGISTERED}"
            asked = {"task_id": task, "intervention_note": note}
            flagged = await session.client.call_tool("flag_for_human", asked)
            assert not flagged.is_error, flagged.content
            await session.refused("flag_for_human", task_id=0, intervention_note=secret)
            await session.refused("no_such_tool", token=secret)

    asyncio.run(call())


def by_commands(driver: Driver, secret: str) -> None:
    said = io.StringIO()
    call_command("create_token", executor="builder-1", stdout=said)
    note = f"intervention_note={REGISTERED} {CODE_HOST}"
    address = f"/api/tasks/{driver.task('A1').pk}/flag"
    with pytest.raises(SystemExit):  # it is flagged already
        call_command("call", "POST", address, note, executor="builder-1", stdout=said)
    for wrong in (["sign_out", CODE_HOST], ["create_token", "--executor", secret]):
        with pytest.raises(CommandError):
            call_command(*wrong, stdout=said)


@pytest.mark.django_db(transaction=True)
def test_fr026_no_secret_stands_in_the_log_whichever_way_it_came(
    driver: Driver, lines: list[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    driver.cast.reviewer.set_password(PASSWORD)
    driver.cast.reviewer.save()
    secret = secret_of(driver.cast.builder("builder-1", ExecutorKind.AGENT))
    client = Client(raise_request_exception=False)
    over_pages(driver, client, secret)
    over_rest(driver, client, secret)
    over_mcp(driver, secret)
    by_commands(driver, secret)
    monkeypatch.setattr("orchestrator.web.health.readiness", broken)
    assert client.get("/ready").status_code == 500
    logging.getLogger("orchestrator").error("Given %s\r\nand %s", secret, CODE_HOST)
    logging.getLogger("orchestrator").warning("Facts", extra={"facts": {"said": f"{REGISTERED} {secret}"}})
    for stream in lines:
        written = stream.getvalue()
        assert "Internal Server Error: /ready" in written
        assert "RuntimeError: no answer for [masked GitHub token]" in written
        found = [one for one in (PASSWORD, WRONG, REGISTERED, CODE_HOST, secret) if one in written]
        assert found == []
    assert len(objects(lines[1])) > 20
    assert [one for one in objects(lines[1]) if not one["request_id"]] == []


@pytest.mark.django_db
def test_fr026_each_line_and_the_answer_carry_the_id_of_the_request(
    client: Client, lines: list[io.StringIO]
) -> None:
    answer = client.get("/health", headers={"x-request-id": CHOSEN})
    assert answer["X-Request-ID"] == CHOSEN
    said = [one for one in objects(lines[1]) if one["logger"] == "orchestrator.requests"]
    assert [(one["request_id"], one["path"], one["status"]) for one in said] == [(CHOSEN, "/health", 200)]
    assert f"[{CHOSEN}] GET /health 200" in lines[0].getvalue()
    missing = client.get("/no-such-page", headers={"x-request-id": CHOSEN})
    assert missing["X-Request-ID"] == CHOSEN
    assert {one["request_id"] for one in objects(lines[1])} == {CHOSEN}


@pytest.mark.parametrize(
    "given",
    ["", "a" * 65, "-x", "one two", "a\r\nSet-Cookie: x", "é", pytest.param(CODE_HOST, id="a secret")],
)
@pytest.mark.django_db
def test_b24_an_id_that_may_not_stand_in_a_log_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/health", headers={"x-request-id": given})
    assert answer["X-Request-ID"] != given
    assert len(answer["X-Request-ID"]) == 32


def test_b24_what_was_sent_begins_no_line_of_its_own(lines: list[io.StringIO]) -> None:
    logging.getLogger("orchestrator").warning("Sent: %s", "x\r\nERROR root [-] forged\x1b[2J\u2028end")
    for stream in lines:
        assert len(stream.getvalue().splitlines()) == 1
        assert "\x1b" not in stream.getvalue()


def test_fr026_lines_of_a_message_name_it_and_others_their_process(lines: list[io.StringIO]) -> None:
    async def apart() -> None:
        pre_execute.send(sender="django_q", func=print, task={"id": "ab12"})
        logging.getLogger("orchestrator").warning("in the queue")

    asyncio.run(apart())
    identify("chosen")
    logging.getLogger("orchestrator").warning("in a request")
    assert [one["request_id"] for one in objects(lines[1])][-2:] == ["message-ab12", "chosen"]
