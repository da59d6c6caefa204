"""The short form of `make fuzz`, with the same seeds every time.

And the fuzzer itself finds what is wrong.
"""

import time

import pytest

from orchestrator.core.plans.formats.recognise import READERS
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format
from tests import fuzz_readers


@pytest.mark.parametrize("shape", fuzz_readers.SHAPES)
def test_wf2_damaged_plans_end_in_findings(shape: str) -> None:
    assert [fault for seed in range(40) if (fault := fuzz_readers.run(shape, seed))] == []


def test_a_reader_that_raises_or_hangs_is_reported_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> Reading:
        raise KeyError("lost")

    def slow(_text: str) -> Reading:
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return Reading(None)

    monkeypatch.setitem(READERS, Format.BEADS, broken)
    fault = fuzz_readers.run("beads", 7)
    assert fault is not None
    assert "KeyError: 'lost'" in str(fault)
    assert "--only beads --mutations 1 --seed 7" in str(fault)
    monkeypatch.setitem(READERS, Format.BEADS, slow)
    monkeypatch.setattr(fuzz_readers, "SLOW", 0.01)
    assert "took" in str(fuzz_readers.run("beads", 7))
