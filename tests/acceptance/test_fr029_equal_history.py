"""FR-029: results over REST and results committed by their producers leave the same history, byte
for byte.
"""

import secrets
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import transaction
from pytest_django.fixtures import Settings

from orchestrator.models import (
    Assignment,
    Attempt,
    IdempotencyKey,
    OpenSession,
    ResultFile,
    Wake,
    Workstream,
)
from tests.acceptance.producer import TIMESTAMP, Producer, told
from tests.acceptance.public import PublicDriver
from tests.cast import NOON, Cast
from tests.machines import Machine
from tests.rolled_back import around_an_example
from tests.starts import count_on

#: Tables that only one of the two patterns uses, and the queue's: what is collected wakes it once more.
OWN = {IdempotencyKey, OpenSession, ResultFile, Wake}
Hand = Callable[[Assignment, dict[str, Any], dict[str, bytes]], None]


class Run:
    """A workstream with breadcrumbs, outputs, a failure, a stale result and a gate.

    Every act has its minute.
    """

    def __init__(self, cast: Cast, root: Path, over_rest: bool, clock: time_machine.Traveller) -> None:
        self.driver, self.root, self.clock = PublicDriver(cast), root, clock
        self.hand = self.post if over_rest else self.commit
        self.executors = [cast.builder(f"builder-{number}") for number in (1, 2)]
        self.machines = {executor.name: Machine.of(executor) for executor in self.executors}
        self.producers = {executor.name: Producer(root, executor.name) for executor in self.executors}

    def act(self, what: Callable[[], Any]) -> Any:
        self.clock.shift(timedelta(minutes=1))
        return what()

    def claim(self, key: str, number: int) -> Assignment:
        attempt = self.driver.attempt(key)
        machine = self.machines[f"builder-{number}"]
        self.act(lambda: machine.post(f"/api/attempts/{attempt.pk}/claim"))
        return Assignment.objects.select_related("executor", "attempt__task__workstream").get(attempt=attempt)

    def result(self, held: Assignment, outputs: dict[str, bytes] | None = None, **members: Any) -> None:
        self.act(lambda: self.hand(held, members, outputs or {}))
        self.driver.advance()

    def post(self, held: Assignment, members: dict[str, Any], outputs: dict[str, bytes]) -> None:
        act = {"attempt-completed": "complete", "attempt-failed": "fail", "breadcrumb": "report"}[
            members["eventType"]
        ]
        body = {name: value for name, value in members.items() if name != "eventType"} | {"token": held.token}
        if act == "complete":
            criteria = {c.text: str(c.pk) for c in held.attempt.task.step.criteria.all()}
            body["evidence"] = {criteria[text]: shown for text, shown in members.get("evidence", {}).items()}
            body["outputs"] = {name: content.decode() for name, content in outputs.items()}
        self.machines[held.executor.name].post(f"/api/attempts/{held.attempt_id}/{act}", body)

    def commit(self, held: Assignment, members: dict[str, Any], outputs: dict[str, bytes]) -> None:
        content = told(held, outputs=[*outputs] or None, timestamp=TIMESTAMP, **members)
        self.producers[held.executor.name].push({"result.json": content, **outputs})

    def play(self) -> None:
        driver = self.driver
        driver.start()
        held = self.claim("A1", 1)
        self.result(held, eventType="breadcrumb", breadcrumb="Model written")
        self.result(held, eventType="attempt-failed", error="Disk full")
        self.act(lambda: self.requeue("A1"))
        again = self.claim("A1", 2)
        proof = {"unit tests pass": "42 passed"}
        assert held.token < again.token
        self.result(held, {"late.md": b"late"}, eventType="attempt-completed", outcome="Late.")
        self.result(
            again,
            {"ledger.md": b"# Ledger\n"},
            eventType="attempt-completed",
            evidence=proof,
            commit="c0ffee",
        )
        driver.advance()
        self.complete("A2", 1, "report shows refunds")
        self.complete("B1", 2, "contract test passes", {"gateway/notes.md": b"ok\n"})
        self.act(lambda: driver.sign("MP1"))
        self.complete("C1", 1, "end-to-end test passes")

    def complete(
        self, key: str, number: int, criterion: str, outputs: dict[str, bytes] | None = None
    ) -> None:
        held = self.claim(key, number)
        evidence = {criterion: "seen"}
        self.result(held, outputs, eventType="attempt-completed", outcome=f"{key} done.", evidence=evidence)

    def requeue(self, key: str) -> None:
        machine = self.machines["builder-2"]
        status, _ = machine.post(
            f"/api/tasks/{self.driver.task(key).pk}/requeue", {"reason": "More space now."}
        )
        assert status == 200
        self.driver.advance()


#: What a token is, and when and from where it was used: over REST it is, by a commit it is not.
OF_ITS_USE = {"digest", "last_used_at", "last_used_from"}


def tables() -> dict[str, list[dict[str, Any]]]:
    models = [model for model in apps.get_app_config("orchestrator").get_models() if model not in OWN]
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    tokens = [{name: row[name] for name in row.keys() - OF_ITS_USE} for row in rows.pop("AccessToken")]
    for output in rows["OutputFile"]:
        output["content"] = bytes(output["content"])
    return rows | {"AccessToken": tokens}


@contextmanager
def undone() -> Iterator[None]:
    """Everything in the block is rolled back, and the next block counts from the same numbers."""
    count_on(apps.get_app_config("orchestrator").get_models())
    with around_an_example():
        yield
        transaction.set_rollback(True)


def test_fr029_both_patterns_leave_byte_identical_history(
    cast: Cast, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Django reads a field's default once and keeps it in the field.
    monkeypatch.setitem(vars(Workstream._meta.get_field("uuid")), "_get_default", lambda: uuid.UUID(int=7))
    left = {}
    for over_rest in (True, False):
        settings.WORKSPACE_DIR = tmp_path / ("rest" if over_rest else "inbox")
        # The history speaks of a token by its digest: both runs are given the same ones.
        numbers = count()
        monkeypatch.setattr(secrets, "token_urlsafe", lambda _size, numbers=numbers: f"{next(numbers):043}")
        with undone(), time_machine.travel(NOON, tick=False) as clock:
            Run(cast, settings.WORKSPACE_DIR, over_rest, clock).play()
            left[over_rest] = tables()
            assert Attempt.objects.filter(status="completed").count() == 5
            assert ResultFile.objects.count() == (0 if over_rest else 7)
    rest, inbox = left[True], left[False]
    assert "stale result quarantined" in [entry["action"] for entry in inbox["HistoryEntry"]]
    for table, rows in rest.items():
        assert inbox[table] == rows, table
    assert tip(tmp_path / "rest") == tip(tmp_path / "inbox"), "the whole branch is the same, commit by commit"


def tip(root: Path) -> str:
    done = subprocess.run(
        ["git", "-C", root, "rev-parse", "main"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
