"""FR-027, FR-028: executors that ask for the next step at once refuse one another nothing and share evenly.

`NEXT_STEPS=1000` runs it over a thousand steps.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.models import Assignment, Executor
from orchestrator.queries.work.work import Wanted
from orchestrator.services.base.actor import Actor
from orchestrator.services.next_step import claim_next
from orchestrator.services.work import claims, completions
from tests.cast import Driver
from tests.races.contest import contest
from tests.verified import state_problems

STEPS = int(os.environ.get("NEXT_STEPS", "80"))
EXECUTORS = 8


def wide(steps: int) -> bytes:
    lines = "".join(f"- S{n}: Step {n}\n  - Parallel: yes\n" for n in range(1, steps + 1))
    return (
        "# Plan: Wide\n\n## Stages\n\n### Stage 1: All\n\n##### Batch 01: all\n\n"
        f"###### Thread 01: all\n- Role: contributor\n{lines}"
    ).encode()


@pytest.mark.django_db(transaction=True)
def test_fr028_eight_executors_share_the_steps_without_refusals(driver: Driver, monkeypatch) -> None:
    driver.start(wide(STEPS))
    crew = [driver.cast.builder(f"crew-{number}") for number in range(EXECUTORS)]
    tried, refused = Counter[str](), Counter[str]()
    plain = claims.claim.function

    def counting(**named: Any) -> Any:
        tried[named["executor"].name] += 1
        try:
            return plain(**named)
        except Refusal as refusal:
            refused[refusal.code] += 1
            raise

    monkeypatch.setattr(claims.claim, "function", counting)
    contest(*(working(executor) for executor in crew))
    shares = Counter(Assignment.objects.values_list("executor__name", flat=True))
    assert sum(shares.values()) == STEPS
    assert sum(refused.values()) <= STEPS * 0.05, refused
    print(f"{STEPS} steps, shares {sorted(shares.values())}, refused {dict(refused)}")
    assert min(shares.values()) >= STEPS / EXECUTORS * 0.5, shares
    driver.advance()
    assert state_problems(driver.reload()) == []


def working(executor: Executor) -> Callable[[], None]:
    def work() -> None:
        own = Executor.objects.select_related("user").get(pk=executor.pk)
        while (step := take(own)) is not None:
            completions.complete(
                attempt_id=step.attempt_id,
                token=step.token,
                executor=own,
                outcome="Done.",
                evidence={},
                now=timezone.now(),
            )

    return work


def take(executor: Executor) -> Assignment | None:
    return claim_next(
        executor=executor,
        actor=Actor.member(executor),
        wanted=Wanted(),
        seconds=0,
        clock=timezone.now,
    ).assignment
