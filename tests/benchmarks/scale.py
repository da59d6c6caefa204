"""Pages and exports of a large installation: `make bench-scale WORKSTREAMS=10000 TASKS=1000000`.

A few workstreams are made by the services and stand at different points; the others are copies of their
rows, by one INSERT a table, with all counters, intervals and search entries. Prints statements, CPU
milliseconds and bytes of each main page, and how fast the portfolio streams as CSV beside a bare loop over
the same rows; ends with 1 where one falls short.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import django
from django.db import connection
from django.db.models import CharField, Field, Model, UUIDField
from django.test import Client
from django.test.utils import override_settings

from tests.benchmarks.floors import ended, judge

#: Rows of copies are told apart by this distance between ids of one copy and the next.
DISTANCE: Final = 1_000_000
REPEATS: Final = 3
#: Most milliseconds of server time a page may take on a machine with nothing else to do.
AIMS: Final = {
    "/portfolio/": 25,
    "/portfolio/?signal=blocked&page=3": 25,
    "/": 25,
    "/workstreams/{uuid}/": 25,
    "/blockers/": 25,
    "/flow/": 60,
    "/search/?q=login": 25,
}


def _copied() -> tuple[type[Model], ...]:
    from orchestrator import models

    return (
        models.Workstream,
        models.Task,
        models.Attempt,
        models.Blocker,
        models.PreHandoffReview,
        models.StateInterval,
        models.Wake,
    )


def _value(field: "Field", apart: Mapping[type[Model], int]) -> str:
    """The SQL of a column in copy number `k`."""
    column = f't."{field.column}"'
    leads_to = field.model if field.primary_key and not field.is_relation else field.related_model
    if leads_to in apart:
        return f"{column} + k.k * {apart[leads_to]}"
    if field.unique and isinstance(field, CharField):
        return f"{column} || '-' || k.k"
    if field.unique and isinstance(field, UUIDField):
        return "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    return column


def multiply(copies: int, apart: Mapping[type[Model], int]) -> None:
    """Each row of these tables so many times more; `apart` is how far the ids of one copy are from those of
    the next."""
    for model in apart:
        meta = model._meta
        fields = [field for field in meta.concrete_fields if not field.generated]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(_value(field, apart) for field in fields)
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{meta.db_table}" ({columns}) '
                "WITH RECURSIVE k(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM k WHERE k < %s) "
                f'SELECT {values} FROM "{meta.db_table}" t CROSS JOIN k',
                [copies],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def build(workstreams: int, tasks: int) -> str:
    """Fill an empty database; the UUID of a workstream in the middle of its work."""
    from orchestrator.core.terms import BlockerKind
    from orchestrator.models import Task
    from orchestrator.services.people.blockers import declare_blocker
    from tests.benchmarks.measure import layers
    from tests.benchmarks.rounds import approved, stand_at
    from tests.cast import NOON, Cast

    cast = Cast()
    cast.builder()
    patterns = 10
    size = max(10, tasks // workstreams // 10 * 10)
    for number in range(patterns):
        domain = f"# Plan: Login {number}\n- **Domain:** area {number % 4}"
        row = approved(layers(size // 10, 10).replace("# Plan: Layers", domain), cast)
        stand_at(row, number * size // 10 // 10 * 10, 10)
        if number % 5 == 1:
            task = Task.objects.filter(workstream=row).exclude(attempts__status="completed").order_by("pk")[0]
            declare_blocker(
                task_id=task.pk,
                kind=next(iter(BlockerKind)),
                note="No access.",
                actor=cast.actor("contributor"),
                now=NOON,
            )
    multiply(workstreams // patterns - 1, dict.fromkeys(_copied(), DISTANCE))
    return str(row.uuid)


def pages(uuid: str) -> None:
    """A line for each page."""
    from tests.cast import Cast
    from tests.services.statements import statements

    client = Client(SERVER_NAME="localhost")
    client.force_login(Cast().approver)
    print(f"\n{'page':40} statements   ms CPU   at most        kB")
    for address, most in AIMS.items():
        path, spent, seen = address.format(uuid=uuid), [], 0
        for _ in range(REPEATS):
            with statements() as asked:
                start = time.process_time()
                answer = client.get(path)
                spent.append(1000 * (time.process_time() - start))
            seen = len(asked)
        assert answer.status_code == 200, (path, answer.status_code)
        failed = judge(f"{path}, CPU", min(spent), most, " ms")
        size = len(answer.content) / 1000
        print(f"{path:40} {seen:10} {min(spent):8.1f} {most:9} {size:9.1f}   {failed}".rstrip(), flush=True)


def export() -> None:
    """The portfolio as CSV, rows a second, beside a bare loop over the same columns."""
    from orchestrator.models import Workstream
    from tests.cast import Cast

    client = Client(SERVER_NAME="localhost")
    client.force_login(Cast().approver)
    start = time.process_time()
    rows = sum(part.count(b"\r\n") for part in client.get("/portfolio.csv"))
    took = time.process_time() - start
    start = time.process_time()
    bare = sum(1 for _ in Workstream.objects.values_list().iterator(chunk_size=2000))
    floor = time.process_time() - start
    share = (rows / took) / (bare / floor)
    print(f"\nportfolio.csv: {rows / took:,.0f} rows/s, a bare loop {bare / floor:,.0f}: {share:.0%}")
    judge("portfolio.csv, times slower than a bare loop", 1 / share, 2)


def main(workstreams: int, tasks: int) -> int:
    django.setup()
    from tests.benchmarks.rounds import database

    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(WORKSPACE_DIR=Path(folder), ALLOWED_HOSTS=["*"]),
        database(),
    ):
        start = time.perf_counter()
        uuid = build(workstreams, tasks)
        print(f"built in {time.perf_counter() - start:.0f} s")
        pages(uuid)
        export()
    return ended()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
