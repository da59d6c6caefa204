"""`make bench`: how long reading, checking, compiling and scheduling take, and what acts cost.

Prints CPU time and statements; ends with 1 where a row that has an aim falls short of it. Each line of the
first table gives the size beside half of it, so that growth shows: a ratio near 2 is linear.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.test.utils import override_settings

from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.plans.checks.read import read as read_checked
from orchestrator.core.plans.graph import compile_graph, critical_path
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.plans.rehearsing.script import view_of
from orchestrator.core.terms import Format
from tests.benchmarks import reading
from tests.benchmarks.floors import ended, judge
from tests.core.plans.hostile_plans import HOSTILE

#: How long a history is measured.
ENTRIES = "100000"


def layers(batches: int, width: int) -> str:
    """A native plan of `batches` serial batches with `width` parallel threads each."""
    lines = ["# Plan: Layers", "## Stages", "### Stage 1: all"]
    for batch in range(batches):
        lines += [f"##### Batch {batch:02}: b{batch}"]
        for thread in range(width):
            lines += [f"###### Thread {thread + 1:02}: t{thread}", f"- S{batch * width + thread}: step"]
    return "\n".join(lines)


def chain(length: int) -> str:
    steps = "\n".join(f"- S{n}: step" for n in range(length))
    return f"# Plan: Chain\n## Stages\n### Stage 1: all\n##### Batch 01: b\n###### Thread 01: t\n{steps}\n"


def parallel(width: int) -> str:
    steps = "\n".join(f"- S{n}: step\n  - Parallel: yes" for n in range(width))
    return (
        f"# Plan: Side by side\n## Stages\n### Stage 1: all\n##### Batch 01: b\n###### Thread 01: "
        f"t\n{steps}\n"
    )


def read(source: str) -> Plan:
    found = read_checked(source, frozenset(), Format.PLAN).plan
    assert found is not None
    return found


def seconds(act: Callable[[], object]) -> float:
    """The best of three, in CPU seconds."""
    times = []
    for _ in range(3):
        start = time.process_time()
        act()
        times.append(time.process_time() - start)
    return min(times)


def seconds_to_read(hostile: str) -> float:
    return seconds(lambda: read_checked(HOSTILE[hostile], frozenset(), Format.PLAN))


def line(name: str, half: Callable[[], object], full: Callable[[], object]) -> None:
    one, two = seconds(half), seconds(full)
    print(f"{name:44} {one:8.3f} s {two:8.3f} s   × {two / one if one else 0:4.1f}")


def main() -> int:
    django.setup()
    print(f"{'':44} {'half':>10} {'full':>10}   growth")
    small, large = layers(25, 200), layers(50, 200)
    line("read and check 50 × 200 steps", lambda: read(small), lambda: read(large))
    half, full = read(small), read(large)
    line("compile 10,000 steps", lambda: compile_graph(half), lambda: compile_graph(full))
    line("critical path of 10,000 steps", lambda: critical_path(half), lambda: critical_path(full))
    views = {size: tuple(map(view_of, p.placed_steps())) for size, p in (("half", half), ("full", full))}
    line(
        "one decision over 10,000 tasks",
        lambda: decide(Snapshot(views["half"])),
        lambda: decide(Snapshot(views["full"])),
    )
    short, long = read(chain(250)), read(chain(500))
    line("preview of a chain of 500 steps", lambda: preview(short), lambda: preview(long))
    slowest = max(HOSTILE, key=seconds_to_read)
    print(f"slowest of {len(HOSTILE)} hostile plans of 2 MB: {slowest}, {seconds_to_read(slowest):.2f} s")
    reading.measure()
    rounds()
    print(flush=True)
    judge("the history, rows that fall short above", _history(), 0)
    return ended()


def _history() -> int:
    """In a process of its own: memory is measured there."""
    return subprocess.run([sys.executable, "-m", "tests.benchmarks.history", ENTRIES], check=False).returncode


@contextmanager
def workspace() -> Iterator[None]:
    """A workspace of its own, as each database has one: a workspace that knows more than its database is
    refused."""
    with tempfile.TemporaryDirectory() as folder, override_settings(WORKSPACE_DIR=Path(folder)):
        yield


def rounds() -> None:
    from tests.benchmarks import acts, advances, commits, review
    from tests.benchmarks.rounds import database, measure

    with workspace(), database():
        acts.measure(layers, chain)
    for part in (advances.measure, commits.measure):
        with workspace():
            part()
    with workspace():
        measure(
            [
                ("chain of 1,000", chain(1000), 1000, 0),
                ("chain of 10,000", chain(10_000), 10_000, 0),
                ("1,000 wide", layers(1, 1000), 1000, 1000),
                ("10,000 wide", layers(1, 10_000), 10_000, 10_000),
                ("10,000 wide in one thread", parallel(10_000), 10_000, 10_000),
                ("50 × 200 layers", layers(50, 200), 10_000, 200),
            ],
            layers(1, 1000),
            "the first round of 1,000 wide, ms CPU",
        )
    with workspace():
        review.measure()


if __name__ == "__main__":
    sys.exit(main())
