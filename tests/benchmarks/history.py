"""The history: seconds and memory of sealing and of `verify_history`, with the state rebuilt (FR-009).

`python -m tests.benchmarks.history ENTRIES` makes that many entries in a database of its own.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import django
from django.core.management import call_command
from django.test.utils import override_settings

BATCH = 10_000


def main(entries: int) -> None:
    from django.db import connection

    from orchestrator.services.base import history
    from orchestrator.services.base.unit_of_work import unit_of_work
    from orchestrator.services.sealing.anchors import seal_and_anchor
    from orchestrator.services.sealing.keys import key_ring
    from orchestrator.services.sealing.verifying import verify
    from tests.cast import NOON, Cast, Driver

    call_command("migrate", verbosity=0)
    driver = Driver(Cast())
    workstream = driver.start()
    actor = driver.cast.actor("approver")
    for _ in range(0, entries, BATCH):
        said = [history.Said(f"S{n}", "It is urgent.", {"from": n, "to": n + 1}) for n in range(BATCH)]
        with unit_of_work():
            history.record_each(
                workstream=workstream, actor=actor, action="priority set", entries=said, now=NOON
            )
        began = time.process_time()
        seal_and_anchor(now=NOON)
        sealed = time.process_time() - began
    what = f"sealing {BATCH:,} entries"
    print(f"{what:44} {sealed:8.3f} s")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, wall = time.process_time(), time.monotonic()
    found = verify(key_ring().public)
    took, waited = time.process_time() - began, time.monotonic() - wall
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (found.breach, found.differences) == (None, [])
    what = f"verifying {found.entries:,} entries"
    print(f"{what:44} {took:8.3f} s ({waited:.1f} s on the wall)")
    print(f"{'memory, at most':44} {after // 1024:8} MB ({(after - before) // 1024} MB of it for this)")
    connection.close()


if __name__ == "__main__":
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with override_settings(
            WORKSPACE_DIR=place / "workspace", HISTORY_KEY_FILE=place / "keys" / "history.key"
        ):
            main(int(sys.argv[1]))
