"""FR-009, FR-014: no secret is stored, whichever way it comes; who sent it is told, and history says so."""

import asyncio
import base64
import inspect
import json
import logging
import random
import string
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.secrets import Masker
from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.mcp.server import build_server
from orchestrator.models import Executor, HistoryEntry, OutputFile, ResultFile
from orchestrator.queries.base.registered import masker, registered_values
from orchestrator.queries.plans.readings import checked
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.services.base.acts import Act, every_act
from orchestrator.services.base.log_lines import MaskingFormatter
from orchestrator.services.people.callers import caller_by_name
from orchestrator.services.people.executors import issue_token, register_executor
from orchestrator.services.work import collector
from tests.acceptance.producer import Producer, told
from tests.cast import NOON, PLAN, Cast, Driver, UserFactory
from tests.conforming import conforms, tools
from tests.machines import Machine

pytestmark = pytest.mark.django_db

#: Made up when the tests run: no key stands in this file.
CANARY = "ghp_" + "".join(random.Random(3).choices(string.ascii_letters, k=34)) + "7Q"
MASKED = "[masked GitHub token]"
VALUE = "blue-Kettle-41"
#: Arguments in which a secret is none, or a plan's text, which the plan check looks into.
PLAIN = {
    "accounts.change_password": {"old", "new"},
    "second_factor.enrol": {"secret", "code"},
    "second_factor.check_code": {"code"},
    "second_factor.renew_recovery_codes": {"code"},
    "second_factor.turn_off": {"code"},
    "plans.submit_plan": {"source"},
    "bundles.submit_bundle": {"files"},
    "submissions.submit_each": {"files"},
    # Of a web hook: whoever knows it may post there, and it has to be posted to.
    "subscriptions.subscribe": {"address"},
}


@pytest.fixture(autouse=True)
def _registered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.MASKED_NAMES = ["KITCHEN"]
    monkeypatch.setenv("KITCHEN", VALUE)
    masker.cache_clear()
    yield
    masker.cache_clear()


@dataclass(frozen=True)
class Part:
    """What an act may be given beside plain words."""

    text: str


def nested(value: str) -> list[Any]:
    return [value, [value], (Part(value),), {value: value}, {1: value.encode()}]


def test_fr009_no_act_is_given_a_secret(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry point calls acts (`tests/architecture/test_acts.py`), so this is every way in."""
    everybody = driver.cast.actor("approver").__class__.person(UserFactory(username="all", roles=list(Role)))
    given: dict[str, Any] = {}
    acts = every_act()
    for one in acts:
        names = set(inspect.signature(one.function).parameters) - {
            "actor",
            "now",
            "executor",
            "user",
            "account",
        }
        monkeypatch.setattr(one, "function", lambda **taken: given.update(taken))
        for value in nested(f"It is {CANARY}, or {VALUE}."):
            given.clear()
            one(actor=everybody, executor=None, account=None, **dict.fromkeys(names, value))
            let_in = {name for name in names if CANARY in str(given[name]) or VALUE in str(given[name])}
            assert let_in == PLAIN.get(one.name, set()), one.name
        assert set(one.declaration.plain) == PLAIN.get(one.name, set())


def everything_stored(workspace: Path) -> Iterator[tuple[str, str]]:
    """Every row of every table, and every object of the workspace's repository."""
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            for row in cursor.fetchall():
                cells = [
                    bytes(c).decode("latin-1") if isinstance(c, bytes | memoryview) else str(c) for c in row
                ]
                yield model.__name__, "\n".join(cells)
    if not workspace.is_dir():
        return
    objects = subprocess.run(
        ["git", "-C", workspace, "cat-file", "--batch", "--batch-all-objects"],
        capture_output=True,
        check=True,
    )
    yield "workspace", objects.stdout.decode("latin-1")


def assert_nothing_stored(workspace: Path, *, producers: bool = False) -> None:
    for where, content in everything_stored(workspace):
        if producers and where == "workspace":
            continue  # what a producer pushed is in the commit that it pushed, as it is told
        assert CANARY not in content, where
        assert VALUE not in content, where
        assert base64.b64encode(CANARY.encode()).decode() not in content, where


def masked_in_history() -> list[str]:
    leaves = HistoryEntry.objects.order_by("sequence").values_list("leaf", flat=True)
    entries = [json.loads(leaf) for leaf in leaves]
    return [entry["action"] for entry in entries if entry["data"].get("masked")]


def test_fr009_rest_masks_and_says_so(driver: Driver, settings: Settings) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder())
    _, claim = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    attempt, token = f"/api/attempts/{claim['attempt']['id']}", claim["token"]
    criterion = next(one["id"] for one in claim["criteria"] if one["asked"])
    note = {"token": token, "breadcrumb": f"Used {CANARY} and {VALUE}"}
    status, answer = machine.post(f"{attempt}/report", note, key="once")
    assert status == 200
    assert answer["breadcrumb"] == f"Used {MASKED} and [masked KITCHEN]"
    assert answer["masked"]["found"] == [
        {"field": "breadcrumb", "what": "GitHub token", "times": 1},
        {"field": "breadcrumb", "what": "KITCHEN", "times": 1},
    ]
    assert machine.post(f"{attempt}/report", note, key="once")[1] == answer
    task = f"/api/tasks/{driver.task('A1').pk}"
    assert machine.post(f"{task}/flag", {"intervention_note": f"Is {CANARY} right?"})[1]["masked"]
    assert machine.post(f"{task}/clear", {"answer": f"No, {VALUE} is."})[1]["masked"]
    encoded = base64.b64encode(f"token {CANARY}".encode()).decode()
    status, done = machine.post(
        f"{attempt}/complete",
        {
            "token": token,
            "outcome": f"Signed in with\n{CANARY[:20]}\n{CANARY[20:]}",
            "evidence": {criterion: f"curl https://u:{VALUE}@host"},
            "outputs": {"run.log": f"KEY={CANARY}\n", f"{VALUE}.txt": encoded},
        },
    )
    assert status == 200, done
    assert {one["field"] for one in done["masked"]["found"]} == {"outcome", "evidence", "outputs"}
    driver.advance()
    assert sorted(bytes(one.content) for one in OutputFile.objects.all()) == [
        f"KEY={MASKED}\n".encode(),
        MASKED.encode(),
    ]
    assert_nothing_stored(settings.WORKSPACE_DIR)
    recorded = {"breadcrumb left", "flagged for a human", "intervention done", "attempt completed"}
    assert recorded <= set(masked_in_history())


def test_fr009_a_refused_text_is_not_kept_with_its_key_either(driver: Driver, settings: Settings) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder())
    attempt = f"/api/attempts/{driver.attempt('A1').pk}"
    status, _ = machine.post(f"{attempt}/report", {"token": 9, "breadcrumb": CANARY}, key="lost")
    assert status == 409
    _, claim = machine.post(f"{attempt}/claim")
    binary = base64.b64encode(b"\x00\xff" + CANARY.encode() + b"\x00").decode()
    body = {"token": claim["token"], "outputs": {"core.bin": {"base64": binary}}, "outcome": "Done."}
    status, refusal = machine.post(f"{attempt}/complete", body, key="binary")
    assert (status, refusal["code"]) == (422, "secret-in-file")
    assert driver.task("A1").status == "active"
    assert_nothing_stored(settings.WORKSPACE_DIR)


@pytest.mark.django_db(transaction=True)
def test_fr009_mcp_masks_and_says_so(driver: Driver, settings: Settings) -> None:
    driver.start()
    held = driver.claim("A1")
    server = build_server(lambda: caller_by_name(held.executor.name))
    given = {"attempt_id": held.attempt_id, "token": held.token, "error": f"{CANARY} is refused"}
    answer = asyncio.run(server.call_tool("fail_task", given))
    assert not answer.is_error, answer  # type: ignore[union-attr]
    assert answer.structured_content["error"] == f"{MASKED} is refused"  # type: ignore[union-attr,index]
    assert conforms(answer.structured_content, tools()["fail_task"]), "the answer is what the tool declares"
    beside = json.loads(answer.content[1].text)
    assert "error: GitHub token" in beside["masked"]["sentence"]
    driver.advance()
    assert_nothing_stored(settings.WORKSPACE_DIR)


def test_fr009_pages_mask_and_say_so(driver: Driver, client: Client, settings: Settings) -> None:
    driver.start()
    client.force_login(driver.cast.contributor)
    page = reverse("task", kwargs={"uuid": driver.reload().uuid, "key": "A1"})
    flag = reverse("task-act", kwargs={"uuid": driver.reload().uuid, "key": "A1", "act": "flag"})
    answer = client.post(flag, {"note": f"Is it {CANARY}?"}, follow=True)
    shown = answer.content.decode()
    assert f"Is it {MASKED}?" in shown
    assert "What looks like a secret was masked" in shown
    assert CANARY not in client.get(page).content.decode()
    driver.advance()
    assert_nothing_stored(settings.WORKSPACE_DIR)


def test_fr009_files_mask_and_say_so(driver: Driver, settings: Settings) -> None:
    driver.start()
    held = driver.claim("A1")
    producer = Producer(settings.WORKSPACE_DIR, held.executor.name)
    files = {
        "result.json": told(
            held,
            outcome=f"Done with {CANARY}",
            outputs=["out.txt"],
            evidence={one.text: "seen" for one in criteria_to_prove(held.attempt.task)},
        ),
        "out.txt": f"key {VALUE}".encode(),
        "odd-result.json": b"{}",
        f"{CANARY}.result.json": told(
            held, eventType="breadcrumb", breadcrumb="x", outcome=None, evidence=None
        ),
    }
    producer.push(files)
    collector.collect(now=driver.tick())
    row = ResultFile.objects.get(path="result.json")
    assert (row.state, driver.task("A1").status) == ("ingested", "complete"), row.problem
    assert "outcome: GitHub token; outputs: KITCHEN" in row.problem
    assert "The commit that you pushed still has it" in row.problem
    driver.advance()
    assert_nothing_stored(settings.WORKSPACE_DIR, producers=True)
    assert bytes(OutputFile.objects.get().content) == b"key [masked KITCHEN]"


def test_wf3_a_plan_with_a_secret_is_refused_with_its_line(cast: Cast, settings: Settings) -> None:
    """A plan is decided about by its hash, so its text is never changed: it is not taken in."""
    line = PLAN.count(b"\n") + 1
    source = PLAN.decode() + f"  - Details: use {CANARY}\n"
    planner = register_executor(name="planner", kind=ExecutorKind.AGENT, user=cast.initiator, now=NOON)
    status, refusal = Machine.of(planner).post("/api/plans/", {"source": source}, key="first")
    assert (status, refusal["code"]) == (422, "plan-unreadable")
    found = [(one["code"], one["line"]) for one in refusal["findings"]]
    assert ("secret-in-plan", line) in found
    assert CANARY not in json.dumps(refusal)
    assert_nothing_stored(settings.WORKSPACE_DIR)
    likely = checked(PLAN.decode() + "  - Details: the password = Tr0ub4dor-and-3 opens it\n")
    assert [(one.code, one.severity) for one in likely.findings if one.line == line] == [
        ("secret-like", "warns")
    ]


def test_fr009_the_log_has_none() -> None:
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "Called with %s", (CANARY,), None)
    assert MaskingFormatter("%(message)s").format(record) == f"Called with {MASKED}"
    try:
        raise RuntimeError(VALUE)
    except RuntimeError as error:
        record.exc_info = (RuntimeError, error, error.__traceback__)
    assert VALUE not in MaskingFormatter("%(message)s").format(record)


def test_fr009_tokens_of_this_server_and_its_own_secrets_are_known(
    driver: Driver, settings: Settings
) -> None:
    executor = driver.cast.builder()
    owner = driver.cast.actor("contributor")
    _, secret = issue_token(
        executor=executor,
        label="x",
        scopes=frozenset({"work"}),
        actor=owner,
        now=driver.tick(),
        in_browser=True,
    )
    assert masker().mask(f"I am {secret}.").text == "I am [masked token of this server]."
    assert masker().mask(f"key {settings.SECRET_KEY}").text == "key [masked SECRET_KEY]"
    assert Executor.objects.filter(name=executor.name).exists()


def test_fr009_names_that_say_so_are_registered_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "plain-words-here")
    monkeypatch.setenv("SHOP_ADDRESS", "nothing-to-hide")
    assert Masker(registered_values()).mask("plain-words-here nothing-to-hide").text == (
        "[masked SHOP_API_KEY] nothing-to-hide"
    )


def test_fr009_every_act_masks_before_it_begins() -> None:
    assert all(isinstance(one, Act) for one in every_act())
