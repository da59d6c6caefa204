"""Verifying a long history: statements and memory do not grow with what it is about (FR-009)."""

import tracemalloc
from collections.abc import Callable

import pytest

from orchestrator.core.replay import State, TaskState
from orchestrator.models import Task
from orchestrator.queries.base.last_words import DIGEST, LastWords
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.services.sealing import kept_states
from orchestrator.services.sealing.kept_states import KeptStates
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.verifying import Verified, verify
from tests.cast import PLAN, Driver
from tests.services.statements import statements


def verified() -> Verified:
    return verify(key_ring().public if entries_sealed() else ())


def asked() -> int:
    """How often a verification asks which integrations are in force, which is a part of the state."""
    with statements() as seen:
        found = verified()
    assert (found.breach, found.differences) == (None, [])
    return sum('"orchestrator_baselineintegration"."reverted_at" IS NULL' in one for one in seen)


def begun(driver: Driver, times: int) -> None:
    for number in range(times):
        driver.start_afresh(PLAN.replace(b"Card refunds", f"Refunds {number} {number}".encode()))
        driver.do("A1")


def test_workstreams_are_compared_together(driver: Driver) -> None:
    begun(driver, 5)
    assert asked() == 1


def test_of_many_workstreams_the_one_that_differs_is_named(driver: Driver) -> None:
    begun(driver, 3)
    Task.objects.filter(pk=driver.task("A2").pk).update(status="skipped", breadcrumb="x")
    assert verified().differences == [
        f"{driver.workstream.slug}: A2: status is 'skipped' in the tables, 'pending' by history",
        f"{driver.workstream.slug}: A2: breadcrumb is 'x' in the tables, '' by history",
    ]


def test_states_that_were_packed_are_compared_like_others(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_states, "UNPACKED", 3)
    monkeypatch.setattr(kept_states, "LOOKS", 1)
    test_of_many_workstreams_the_one_that_differs_is_named(driver)


def kilobytes(make: Callable[[], object]) -> float:
    tracemalloc.start()
    kept = make()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept
    return taken / 1000


def test_states_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_states, "UNPACKED", 1000)
    monkeypatch.setattr(kept_states, "LOOKS", 10)

    def made() -> KeptStates:
        states = KeptStates()
        for number in range(500):
            state = states.of(number)
            state.tasks = {f"{number}-{one}": TaskState(attempts={1: "completed"}) for one in range(20)}
        return states

    kept = made()
    assert kilobytes(made) < 1500, "ten thousand tasks, of which a thousand stand unpacked"
    for number in (0, 250, 499):
        assert kept.of(number).tasks[f"{number}-7"] == TaskState(attempts={1: "completed"})
    assert kept.of(1000) == State()


def test_the_last_word_about_a_row_takes_forty_bytes() -> None:
    def word(number: int, entry: int) -> bytes:
        return number.to_bytes(DIGEST) + entry.to_bytes(8)

    def said() -> LastWords:
        last = LastWords()
        for number in range(20_000):
            last.put(number, word(0, 1))
            last.put(number, word(number, 2))
        return last

    assert kilobytes(said) < 20_000 * 50 / 1000
    last = said()
    last.put(10**12, word(7, 3))
    assert (len(last), last.get(4711), last.get(20_001), last.get(10**12)) == (
        20_001,
        word(4711, 2),
        None,
        word(7, 3),
    )
    assert list(last) == [*range(20_000), 10**12]
