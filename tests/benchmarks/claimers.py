"""`make bench-claimers`: processes that claim and complete on the PostgreSQL server of DATABASE_URL.

Sixteen processes share the steps of one plan, each asking for the next one as soon as it has completed one.
Beside that the least that could be done, in the same run: as many processes that take a row with
`SKIP LOCKED` and mark it done, a commit each. Ends with 1 where the steps a second are too small a part of
that, where the shares are uneven, or where a step was done twice.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import django
from django.test.utils import override_settings

PROCESSES: Final = 16
STEPS: Final = 1600
#: Least part of the bare rate; least share of the slowest in that of the fastest.
PART, EVEN = 0.2, 0.5
_FORKED = get_context("fork")

_TAKE = """UPDATE bare SET state = 1 WHERE id = (
  SELECT id FROM bare WHERE state = 0 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id"""


def bare(_number: int) -> int:
    """Take rows and mark them done until there are none; how many."""
    from django.db import connection

    done = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_TAKE)
            row = cursor.fetchone()
            if row is None:
                return done
            cursor.execute("UPDATE bare SET state = 2 WHERE id = %s", row)
            done += 1


def ours(number: int) -> int:
    """Claim and complete until there is nothing; how many steps."""
    from django.utils import timezone

    from orchestrator.queries.work.work import Wanted
    from orchestrator.services.next_step import claim_next
    from orchestrator.services.people.callers import caller_by_name
    from orchestrator.services.work.completions import complete

    caller = caller_by_name(f"claimer-{number}")
    who = {"executor": caller.executor, "actor": caller.actor}
    done = 0
    while step := claim_next(**who, wanted=Wanted(), seconds=0, clock=timezone.now).assignment:
        held = {"attempt_id": step.attempt_id, "token": step.token}
        complete(**held, **who, outcome="Done.", evidence={}, now=timezone.now())
        done += 1
    return done


def rate(work: Callable[[int], int]) -> tuple[float, list[int]]:
    """Steps a second of all processes together, and what each of them did."""
    from django.db import connections

    connections.close_all()
    ready, answers = _FORKED.Barrier(PROCESSES + 1), _FORKED.Queue()

    def run(number: int) -> None:
        ready.wait()
        answers.put(work(number))
        connections.close_all()

    processes = [_FORKED.Process(target=run, args=(number,)) for number in range(PROCESSES)]
    for one in processes:
        one.start()
    ready.wait()
    start = time.perf_counter()
    shares: list[int] = [answers.get(timeout=600) for _ in processes]
    seconds = time.perf_counter() - start
    for one in processes:
        one.join()
    return sum(shares) / seconds, sorted(shares)


def prepared() -> None:
    from django.db import connection

    from tests.benchmarks.acts import Worker
    from tests.benchmarks.measure import parallel
    from tests.benchmarks.rounds import approved
    from tests.cast import Cast

    cast = Cast()
    for number in range(PROCESSES):
        cast.builder(f"claimer-{number}")
    Worker(approved(parallel(STEPS), cast)).go_on()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (id serial PRIMARY KEY, state int NOT NULL)")
        cursor.execute("INSERT INTO bare (state) SELECT 0 FROM generate_series(1, %s)", [STEPS])
        cursor.execute("CREATE INDEX ON bare (id) WHERE state = 0")


def show() -> None:
    from orchestrator.models import Attempt
    from tests.benchmarks.floors import judge, judge_least

    (floor, _), (steps, shares) = rate(bare), rate(ours)
    twice = Attempt.objects.filter(status="completed").count() - sum(shares)
    part, even = steps / floor, shares[0] / shares[-1]
    print(f"\n{PROCESSES} claimers on PostgreSQL, {STEPS} steps, claimed and completed")
    rows: list[tuple[str, Any, str]] = [
        ("bare rows, a second", floor, ""),
        ("steps a second", steps, ""),
        ("of the bare rate", part, judge_least("claimers, of the bare rate", part, PART)),
        ("slowest of the fastest", even, judge_least("claimers, shares", even, EVEN)),
        ("done twice", twice, judge("done twice", abs(twice), 0)),
    ]
    for name, measured, failed in rows:
        print(f"{name:32} {measured:8.2f}   {failed}".rstrip())


def main() -> int:
    django.setup()
    from django.db import connection

    from tests.benchmarks.floors import ended

    if connection.vendor != "postgresql":
        print("Skipped: name a PostgreSQL server in DATABASE_URL.")
        return 0
    # As in operation: a commit waits for the disk.
    connection.settings_dict["OPTIONS"].pop("options", None)
    name = connection.settings_dict["NAME"]
    with tempfile.TemporaryDirectory() as folder, override_settings(WORKSPACE_DIR=Path(folder)):
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            prepared()
            show()
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
    return ended()


if __name__ == "__main__":
    sys.exit(main())
