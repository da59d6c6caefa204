"""The history: appending in bulk, sealing, `verify_history` with the state rebuilt, and the file of all of it
(FR-009, DC-7).

`python -m tests.benchmarks.history ENTRIES` makes that many entries in a database of its own; ends with 1
where a row falls short.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.test.utils import override_settings

BATCH = 10_000
#: Microseconds that an entry may take to be appended in bulk, and to be verified; megabytes that verifying
#: may take; how many times a bare loop over the same rows the file may take, and megabytes.
APPENDED, VERIFIED, MEMORY, TIMES, FILE_MEMORY = 100, 25, 200, 2.0, 80


def main(entries: int) -> int:
    from django.db import connection

    from orchestrator.services.base import history
    from orchestrator.services.base.unit_of_work import unit_of_work
    from orchestrator.services.sealing.anchors import seal_and_anchor
    from orchestrator.services.sealing.keys import key_ring
    from orchestrator.services.sealing.verifying import verify
    from tests.benchmarks.floors import ended, judge
    from tests.cast import NOON, Cast, Driver

    call_command("migrate", verbosity=0)
    driver = Driver(Cast())
    workstream = driver.start()
    actor = driver.cast.actor("approver")
    appended = 0.0
    for _ in range(0, entries, BATCH):
        said = [history.Said(f"S{n}", "It is urgent.", {"from": n, "to": n + 1}) for n in range(BATCH)]
        began = time.process_time()
        with unit_of_work():
            history.record_each(
                workstream=workstream, actor=actor, action="priority set", entries=said, now=NOON
            )
        appended += time.process_time() - began
        began = time.process_time()
        seal_and_anchor(now=NOON)
        sealed = time.process_time() - began
    told(
        f"appending {entries:,} entries",
        appended,
        judge("appending", 1e6 * appended / entries, APPENDED, " µs"),
    )
    what = f"sealing {BATCH:,} entries"
    print(f"{what:44} {sealed:8.3f} s")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, wall = time.process_time(), time.monotonic()
    found = verify(key_ring().public)
    took, waited = time.process_time() - began, time.monotonic() - wall
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (found.breach, found.differences) == (None, [])
    each = judge("verifying", 1e6 * took / found.entries, VERIFIED, " µs")
    told(f"verifying {found.entries:,} entries ({waited:.1f} s on the wall)", took, each)
    judge("verifying, memory", (after - before) // 1024, MEMORY, " MB")
    print(f"{'memory, at most':44} {after // 1024:8} MB ({(after - before) // 1024} MB of it for this)")
    export(driver.cast.approver)
    connection.close()
    return ended()


def told(what: str, seconds: float, failed: str) -> None:
    print(f"{what:44} {seconds:8.3f} s   {failed}".rstrip(), flush=True)


def export(reader: Any) -> None:
    """The file, in rows a second, beside a bare loop over its columns."""
    from django.test import Client

    from orchestrator.queries.base.history import Trail
    from tests.benchmarks.floors import judge

    client = Client(SERVER_NAME="localhost")
    client.force_login(reader)
    client.get("/history/")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    rows = sum(part.count(b"\r\n") for part in client.get("/history/?format=csv"))
    took = time.process_time() - began
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    began = time.process_time()
    bare = sum(1 for _ in Trail().columns)
    times = (took / rows) / ((time.process_time() - began) / bare)
    failed = judge("history as CSV, times a bare loop", times, TIMES)
    judge("history as CSV, memory", used, FILE_MEMORY, " MB")
    said = f"history as CSV: {rows / took:,.0f} rows/s, {1 / times:.0%} of a bare loop, {used} MB"
    print(f"{said}   {failed}".rstrip(), flush=True)


if __name__ == "__main__":
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with override_settings(
            WORKSPACE_DIR=place / "workspace",
            HISTORY_KEY_FILE=place / "keys" / "history.key",
            ALLOWED_HOSTS=["*"],
        ):
            sys.exit(main(int(sys.argv[1])))
