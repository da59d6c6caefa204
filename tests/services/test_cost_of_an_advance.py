"""FR-005, DC-6: what a round and a whole advance ask of database and git after one completion, counted.

Never timed, so the same on every machine; and the same whether ten tasks are complete or ten thousand.
"""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.services.advance import advance
from orchestrator.services.people.callers import caller_by_name
from orchestrator.services.work.claims import claim
from orchestrator.services.work.completions import complete as complete_step
from orchestrator.services.work.scheduling import run_round
from tests.benchmarks.rounds import stand_at
from tests.cast import Driver
from tests.services.statements import Statements, instructions, statements

ROUND, A_LAUNCH, ADVANCE = 14, 1, 45
#: Tens of SQLite's instructions that a statement may take more with 1,500 tasks complete than with ten.
WALKS = 60


def chain(length: int) -> bytes:
    """One thread; every step has an exit criterion, as those of real plans do."""
    steps = "\n".join(f"- S{n:05}: step\n  - Exit: it works" for n in range(length))
    head = "# Plan: Chain\n## Stages\n### Stage 1: all\n##### Batch 01: b\n###### Thread 01: t"
    return f"{head}\n{steps}\n".encode()


def fan(width: int) -> bytes:
    """A step, then so many side by side."""
    lanes = "\n".join(f"###### Thread {n:03}: t{n}\n- S{n:03}: step" for n in range(width))
    return (
        "# Plan: Fan\n## Stages\n### Stage 1: all\n##### Batch 01: first\n###### Thread 01: t\n- F: step\n"
        f"##### Batch 02: then\n{lanes}\n"
    ).encode()


@contextmanager
def processes() -> Iterator[list[str]]:
    """The commands that are started within the block."""
    started: list[str] = []
    plain = subprocess.Popen.__init__

    def watch(self: Any, args: Any, *rest: Any, **named: Any) -> None:
        started.append(" ".join(word.decode() if isinstance(word, bytes) else str(word) for word in args))
        plain(self, args, *rest, **named)

    subprocess.Popen.__init__ = watch  # type: ignore[method-assign]
    try:
        yield started
    finally:
        subprocess.Popen.__init__ = plain  # type: ignore[method-assign]


@contextmanager
def nobody_advances(driver: Driver) -> Iterator[None]:
    """What acts leave for the next advance is left."""
    plain, driver.advance = driver.advance, lambda: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        driver.advance = plain  # type: ignore[method-assign]


def one_done(driver: Driver) -> Workstream:
    """The first ready step is complete, and nobody has advanced the workstream since."""
    with nobody_advances(driver):
        driver.do(driver.ready()[0])
    return driver.reload()


def stands(driver: Driver, plan: bytes, complete: int) -> None:
    """So many steps were done and handed over, the next one is launched, and all of it is published. Only the
    files of the last one are there: nobody builds on the others any more."""
    if complete < 2:
        driver.start_afresh(plan)
        return
    with nobody_advances(driver):
        driver.start_afresh(plan)
    stand_at(driver.reload(), complete - 1, 1)
    driver.do(driver.ready()[0])


def cost_of_an_advance(driver: Driver) -> tuple[Statements, list[str]]:
    workstream, now = one_done(driver), driver.tick()
    with statements() as seen, processes() as started:
        advance(workstream_id=workstream.pk, clock=lambda: now)
    return seen, started


def cost_of_a_round(driver: Driver) -> Statements:
    workstream = one_done(driver)
    HandoffArtifact.objects.update(state=ArtifactState.COMMITTED)
    with statements() as seen:
        row = run_round(workstream_id=workstream.pk, now=driver.tick())
    assert row is not None
    return seen


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "complete", [10, 200, pytest.param(9_990, marks=pytest.mark.nightly)], ids=lambda count: f"{count} done"
)
def test_fr005_an_advance_costs_the_same_however_much_is_complete(driver: Driver, complete: int) -> None:
    stands(driver, chain(complete + 4), complete)
    seen, started = cost_of_an_advance(driver)
    assert len(seen) <= ADVANCE, str(seen)
    assert len(started) <= 1, started
    assert driver.ready() == [f"S{complete + 1:05}"]


@pytest.mark.django_db(transaction=True)
def test_fr005_an_advance_costs_as_much_at_the_beginning_as_later(driver: Driver) -> None:
    stands(driver, chain(40), 0)
    costs = []
    for _ in range(3):
        costs.append(len(cost_of_an_advance(driver)[0]))
        for _ in range(5):
            driver.do(driver.ready()[0])
    assert len(set(costs)) == 1, costs


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("complete", [10, 200], ids=lambda count: f"{count} done")
def test_fr005_a_round_in_a_chain(driver: Driver, complete: int) -> None:
    stands(driver, chain(complete + 4), complete)
    seen = cost_of_a_round(driver)
    assert len(seen) <= ROUND, str(seen)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [2, 30])
def test_fr005_a_round_that_launches_several(driver: Driver, width: int) -> None:
    stands(driver, fan(width), 0)
    seen = cost_of_a_round(driver)
    assert len(seen) <= ROUND + A_LAUNCH * width, str(seen)
    assert len(driver.ready()) == width


@pytest.mark.django_db(transaction=True)
def test_fr005_a_round_that_finds_nothing_new_reads_and_writes_little(driver: Driver) -> None:
    stands(driver, chain(5), 0)
    with statements() as seen:
        assert run_round(workstream_id=driver.reload().pk, now=driver.tick()) is None
    assert len(seen) <= 4, str(seen)


@pytest.mark.django_db(transaction=True)
def test_fr005_no_statement_walks_what_is_complete(driver: Driver) -> None:
    """Of a step from its claim to its successor's launch, what the database does for each statement."""
    few, many = instructions_of_a_step(driver, 10), instructions_of_a_step(driver, 1_500)
    walking = {sql: (few[sql], count) for sql, count in many.items() if count > few[sql] + WALKS}
    assert not walking, walking


def instructions_of_a_step(driver: Driver, complete: int) -> Counter[str]:
    """In a chain with so many steps complete, in the second in which the state files were written."""
    stands(driver, chain(complete + 4), complete)
    workstream, now, caller = driver.reload(), driver.tick(), caller_by_name(driver.cast.builder().name)
    advance(workstream_id=workstream.pk, clock=lambda: now)
    attempt = driver.attempt(driver.ready()[0])
    criterion = attempt.task.step.criteria.get().pk
    who = {"attempt_id": attempt.pk, "executor": caller.executor, "actor": caller.actor, "now": now}
    with instructions() as done:
        token = claim(**who).token
        complete_step(**who, token=token, outcome="Done.", evidence={criterion: "It works."})
        advance(workstream_id=workstream.pk, clock=lambda: now)
    return done
