"""`make fuzz`: random damages to plans of every format; every reader answers with findings, never an
exception.

Each run has a seed of its own, which the report names: `--seed N --mutations 1 --only FORMAT` does it again.
The exit code is 1 when something went wrong, or took too long.
"""

import argparse
import random
import signal
import sys
import time
import traceback
from types import FrameType
from typing import NamedTuple

from orchestrator.core.plans.checks.check import check_plan
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.formats.plan_file_text import render_plan_file
from orchestrator.core.plans.formats.recognise import READERS
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format
from tests.core.plans.formats.mutations import mutated, mutated_json
from tests.core.plans.formats.samples import FOLDER_FILES, PLAN, SAMPLES

SHAPES = {"plan": PLAN, **SAMPLES, "list-fine": SAMPLES["list"]}
#: Seconds of one run: of the processor, which are reported, and of the clock, after which it is stopped.
SLOW, HANGS = 1.0, 5.0


class Fault(NamedTuple):
    shape: str
    seed: int
    what: str

    def __str__(self) -> str:
        return f"{self.shape}: {self.what}\n  again: --only {self.shape} --mutations 1 --seed {self.seed}"


class Hang(Exception):
    pass


def damaged(shape: str, seed: int) -> str:
    """The same seed gives the same text."""
    chance = random.Random(seed)
    text = SHAPES[shape]
    if shape in ("plan-file", "bundle-ws", "task-master", "tasks", "to-do") and chance.random() < 0.5:
        return mutated_json(text, chance)
    return mutated(text, chance)


def read_every_way(shape: str, text: str, *, thorough: bool) -> None:
    """By content and by force.

    `thorough` runs write the plan again, and read the text as one of several files.
    """
    reading = read(text, frozenset())
    forced = READERS[Format(shape)](text)
    for plan in (reading.plan, forced.plan):
        if plan is not None and thorough:
            check_plan(plan, frozenset())
            render_plan(plan)
            render_plan_file(plan)
    if thorough:
        data = text.encode("utf-8", "surrogatepass")
        sources_of(
            {
                **{name: one.encode() for name, one in FOLDER_FILES.items()},
                "a/PLAN.md": data,
                "b/x.json": data,
            }
        )


def run(shape: str, seed: int) -> Fault | None:
    """One run; None when it went well."""
    started = time.process_time()
    try:
        read_every_way(shape, damaged(shape, seed), thorough=seed % 8 == 0)
    except Exception:
        return Fault(shape, seed, traceback.format_exc(limit=-3))
    took = time.process_time() - started
    return Fault(shape, seed, f"took {took:.2f} s") if took > SLOW else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=100_000, help="runs for each format")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run")
    parser.add_argument("--only", choices=sorted(SHAPES))
    given = parser.parse_args()
    signal.signal(signal.SIGALRM, _stop)
    faults = 0
    for shape in [given.only] if given.only else SHAPES:
        started = time.perf_counter()
        found = 0
        for number in range(given.seed, given.seed + given.mutations):
            signal.setitimer(signal.ITIMER_REAL, HANGS)
            fault = run(shape, number)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if fault and (found := found + 1) <= 5:
                print(fault, flush=True)
        faults += found
        took = time.perf_counter() - started
        print(f"{shape:12} {given.mutations:9,} runs {took:8.1f} s  {found} faults", flush=True)
    return 1 if faults else 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Hang(f"stopped after {HANGS} s")


if __name__ == "__main__":
    sys.exit(main())
