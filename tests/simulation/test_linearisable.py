"""Claims and completions that meet are linearisable (AS-4, AD-7): threads with connections of their own call
the services at once, and what each was answered, and when, has to have an order.

`make nightly` checks 2,000 such histories on each database; `SEED` chooses others.
"""

import os
import time
from random import Random
from typing import Any

import pytest

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Attempt, Criterion, Executor
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.executors import register_executor
from orchestrator.services.work import claims, completions, failures
from tests.cast import NOON, Driver
from tests.races.contest import contest
from tests.simulation.linear import Operation, linearisable

SEED = int(os.environ.get("SEED", "1"))
WIDE = "# Plan: Wide {number}\n\n## Stages\n\n### Stage 1: All\n\n##### Batch 01: all\n\n{threads}"
THREAD = "###### Thread {n:03}: lane {n}\n- Files: `lane{n}/**`\n- T{n}: Do {n}\n  - Exit: it is done\n\n"
NAMES = ("one", "two", "three")
#: Most callers claim first, and then use the token that they think they have.
MENU = ("claim", "claim", "report", "complete", "complete", "fail")


def wide(attempts: int, number: int) -> bytes:
    threads = "".join(THREAD.format(n=n) for n in range(1, attempts + 1))
    return WIDE.format(number=number, threads=threads).encode()


class Caller:
    """One thread's operations on one attempt; a person may hold many attempts at once."""

    def __init__(self, attempt: Attempt, executor: Executor, exits: list[int], menu: list[str]) -> None:
        self.attempt, self.executor, self.exits, self.menu = attempt, executor, exits, menu
        self.token, self.said = 1, list[Operation]()

    def __call__(self) -> None:
        for name in self.menu:
            given, began = 0 if name == "claim" else self.token, time.monotonic_ns()
            try:
                token = self._does(name)
            except Refusal:
                token = 0
            ended = time.monotonic_ns()
            self.said.append(Operation(name, self.executor.name, given, token, began, ended))

    def _does(self, name: str) -> int:
        call: dict[str, Any] = {"attempt_id": self.attempt.pk, "executor": self.executor, "now": NOON}
        if name == "claim":
            self.token = claims.claim(**call, actor=Actor.member(self.executor)).token
        elif name == "report":
            claims.report(**call, token=self.token, breadcrumb="Half of it.")
        elif name == "complete":
            proof = dict.fromkeys(self.exits, "Seen.")
            completions.complete(**call, token=self.token, outcome="Done.", evidence=proof)
        else:
            failures.fail(**call, token=self.token, error="It broke.")
        return self.token


def histories_are_linearisable(driver: Driver, number: int, attempts: int) -> None:
    random = Random(SEED * 1000 + number)
    driver.start_afresh(wide(attempts, number))
    user = driver.cast.contributor
    people = [register_executor(name=name, kind=ExecutorKind.PERSON, user=user, now=NOON) for name in NAMES]
    refused = 0
    for key in driver.ready():
        attempt = driver.attempt(key)
        exits = list(
            Criterion.objects.filter(step=attempt.task.step_id, kind="exit").values_list("pk", flat=True)
        )
        callers = [
            Caller(attempt, one, exits, random.choices(MENU, k=random.randint(1, 4))) for one in people
        ]
        contest(*callers)
        said = [operation for caller in callers for operation in caller.said]
        assert linearisable(said, first=1), (
            f"seed {SEED}, {number}, {key}: {sorted(said, key=lambda o: o.began)}"
        )
        refused += sum(not operation.token for operation in said)
    assert refused, "they met"


@pytest.mark.django_db(transaction=True)
def test_as4_claims_and_completions_that_meet_are_linearisable(driver):
    histories_are_linearisable(driver, 0, 10)


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(1, 9))
def test_as4_many_claims_and_completions_that_meet_are_linearisable(driver, number):
    histories_are_linearisable(driver, number, 250)


ONE = Operation("claim", "one", 0, 1, 0, 10)


@pytest.mark.parametrize(
    ("history", "so"),
    [
        ([ONE, Operation("claim", "two", 0, 0, 5, 15)], True),
        ([ONE, Operation("claim", "two", 0, 1, 5, 15)], False),
        ([Operation("claim", "two", 0, 0, 0, 4), Operation("claim", "one", 0, 1, 5, 9)], False),
        ([ONE, Operation("complete", "one", 1, 1, 20, 30), Operation("fail", "one", 1, 1, 25, 28)], False),
        ([ONE, Operation("complete", "one", 1, 1, 20, 30), Operation("fail", "one", 1, 0, 25, 28)], True),
        ([ONE, Operation("complete", "one", 1, 1, 20, 30), Operation("report", "one", 1, 1, 21, 22)], True),
        ([ONE, Operation("complete", "one", 1, 1, 20, 30), Operation("report", "one", 1, 1, 31, 32)], False),
        ([ONE, Operation("complete", "two", 1, 1, 20, 30)], False),
    ],
)
def test_the_checker_knows_what_can_have_been(history, so):
    assert linearisable(history, first=1) is so
