"""Work under every disturbance at once comes to its end, with nothing done twice, lost or rewritten.

`make simulate SEED=7 HOURS=2000 RUNS=1` runs one seed as long as wanted, and prints what happened; a failure
names its seed, and the same seed is the same history again.
"""

import os
import time

import pytest

from tests.model.workspaces import MemoryWorkspace
from tests.simulation.simulation import Outcome, Simulation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # A process that is killed closes nothing: what it was reading is found open by the collector.
    pytest.mark.filterwarnings("ignore:.*Server.*Cursor.*was deleted while still open:ResourceWarning"),
]
SEED, HOURS = int(os.environ.get("SEED", "1")), float(os.environ.get("HOURS", "400"))
RUNS = int(os.environ.get("RUNS", "10"))


@pytest.fixture(autouse=True)
def _empty_workspace():
    MemoryWorkspace.forget()


def simulate(cast, monkeypatch, seed: int, hours: float, **size: int) -> Outcome:
    return Simulation(cast, seed, monkeypatch, **size).run(hours)


def test_ad7_work_under_every_disturbance_comes_to_its_end(cast, monkeypatch):
    outcome = simulate(cast, monkeypatch, seed=1, hours=24, workstreams=1, agents=2, batches=2)
    assert set(outcome.ends) == {"completed"}
    assert sum(outcome.counted.values()) > 10, outcome.counted


@pytest.mark.nightly
def test_ad7_a_seed_is_one_history(cast, monkeypatch):
    small = {"workstreams": 1, "agents": 2, "batches": 2}
    first = simulate(cast, monkeypatch, SEED, 24, **small)
    again = simulate(cast, monkeypatch, SEED, 24, **small)
    assert first.history
    assert (again.history, again.counted) == (first.history, first.counted)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_ad7_many_histories_come_to_their_end(cast, monkeypatch, capsys, seed):
    began = time.perf_counter()
    outcome = simulate(cast, monkeypatch, seed, HOURS)
    seconds = time.perf_counter() - began
    assert set(outcome.ends) == {"completed"}
    with capsys.disabled():
        happened = ", ".join(f"{name} {times}" for name, times in sorted(outcome.counted.items()))
        print(
            f"\nseed {seed}: {outcome.hours:.0f} workstream-hours, {outcome.ends.total()} workstreams, "
            f"{outcome.steps} steps, {outcome.hours / seconds * 60:.0f} workstream-hours a minute; {happened}"
        )
