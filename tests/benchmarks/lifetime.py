"""`make bench-lifetime`: a workstream of many tasks from its first step to its end, in one process.

Layers of twenty steps are claimed and completed one by one, ten before each advance; the workspace is packed
as the sweep would. Prints CPU milliseconds a step in each tenth, the size of the workspace's repository and
its loose objects. Ends with 1 where the last tenth costs more than 1.3 times the first, or it grew too large.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import django
from django.test.utils import override_settings

WIDTH: Final = 20
TOGETHER: Final = 10
TENTHS: Final = 10
#: Most that a step of the last tenth costs of one of the first; megabytes of the repository for 10,000 steps;
#: objects that stand alone.
GROWTH, SIZE, LOOSE = 1.3, 60.0, 7000


def live(steps: int) -> list[float]:
    """CPU milliseconds a step in each tenth."""
    from orchestrator.services.handoff.maintenance import maintain
    from orchestrator.services.people.callers import caller_by_name
    from tests.benchmarks.acts import Worker
    from tests.benchmarks.measure import layers
    from tests.benchmarks.rounds import approved
    from tests.cast import Cast

    cast = Cast()
    cast.builder()
    worker, caller = Worker(approved(layers(steps // WIDTH, WIDTH), cast)), caller_by_name("builder-1")
    worker.go_on()
    spent = []
    for tenth in range(TENTHS):
        start = time.process_time()
        for number in range(steps // TENTHS):
            attempt = worker.next()
            worker.end(attempt, worker.begin(attempt, caller), caller)
            if number % TOGETHER == TOGETHER - 1:
                worker.go_on()
        maintain()
        spent.append(1000 * (time.process_time() - start) / (steps // TENTHS))
        print(f"tenth {tenth + 1:2}: {spent[-1]:6.1f} ms CPU a step", flush=True)
    return spent


def main() -> int:
    steps = int(sys.argv[1])
    django.setup()
    from orchestrator.services.handoff.damage import workspace
    from tests.benchmarks.floors import ended, judge
    from tests.benchmarks.rounds import database

    with tempfile.TemporaryDirectory() as folder, override_settings(WORKSPACE_DIR=Path(folder)), database():
        spent = live(steps)
        size = sum(path.stat().st_size for path in (Path(folder) / ".git").rglob("*") if path.is_file()) / 1e6
        loose = workspace().loose_objects()
    growth, most = spent[-1] / spent[0], SIZE * steps / 10_000
    print(f"{'last tenth, of the first':32} {growth:8.2f}   {judge('growth', growth, GROWTH)}".rstrip())
    print(f"{'repository, MB':32} {size:8.1f}   {judge('repository', size, most, ' MB')}".rstrip())
    print(f"{'loose objects, about':32} {loose:8}   {judge('loose objects', loose, LOOSE)}".rstrip())
    return ended()


if __name__ == "__main__":
    sys.exit(main())
