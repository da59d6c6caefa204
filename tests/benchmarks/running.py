"""`make bench-running`: a whole installation as `make run` starts it, at rest and with a chain of steps.

Prints what all processes together take of a core and of memory while nothing happens, and how long it is from
a completion to the next claim by somebody who waits in `next`: the queue, a round, a commit and two wake-ups
lie between. Ends with 1 where one falls short; the times say something on an idle machine only.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import django

#: Seconds until an installation that was just set up is at rest, and in which it is watched then.
SETTLES, WATCHED = 30.0, 30.0
HOPS: Final = 40
#: Most that all processes take of a core at rest, in per cent, and of memory, in megabytes; most milliseconds
#: from a completion to the next claim.
AT_REST, MEMORY, HOP = 1.0, 350, 40.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def installation(folder: Path) -> Iterator[int]:
    """The process that serves it, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = [sys.executable, "manage.py", "serve", "--demo", "--port", str(port)]
    with (folder / "serve.log").open("w") as log, subprocess.Popen(served, stdout=log, stderr=log) as process:
        try:
            while f":{port}/" not in (folder / "serve.log").read_text():
                if process.poll() is not None:
                    raise RuntimeError((folder / "serve.log").read_text())
                time.sleep(0.2)
            yield process.pid
        finally:
            process.terminate()


def processes(of: int) -> dict[int, tuple[float, int]]:
    """Seconds of processor time, and kilobytes of its own, of a process and all that came of it."""
    parents, spent = {}, {}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            words = (place / "stat").read_text().rpartition(")")[2].split()
            parents[int(place.name)] = int(words[1])
            spent[int(place.name)] = (int(words[11]) + int(words[12])) / TICKS, _memory(place)
        except OSError:
            continue
    family = {of}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: spent[pid] for pid in family if pid in spent}


def _memory(place: Path) -> int:
    """What a process shares is counted in parts."""
    lines = (place / "smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def at_rest(pid: int) -> None:
    from tests.benchmarks.floors import judge

    time.sleep(SETTLES)
    before = processes(pid)
    time.sleep(WATCHED)
    after = processes(pid)
    share = 100 * sum(after[one][0] - before.get(one, (0.0, 0))[0] for one in after) / WATCHED
    memory = sum(kilobytes for _, kilobytes in after.values()) // 1024
    failed = judge("at rest, of a core", share, AT_REST, " %")
    failed = judge("at rest, of memory", memory, MEMORY, " MB") or failed
    print(
        f"{len(after)} processes at rest: {share:.2f} % of a core, {memory} MB   {failed}".rstrip(),
        flush=True,
    )


def hops() -> None:
    """A chain of steps by one executor that asks for the next one at once."""
    from tests.benchmarks.floors import judge

    spent: list[float] = []
    done = None
    claimed = _claimer()
    for _ in range(HOPS):
        finish = claimed()
        if done is not None:
            spent.append(1000 * (time.perf_counter() - done))
        finish()
        done = time.perf_counter()
    failed = judge("from a completion to the next claim", median(spent), HOP, " ms")
    said = f"{len(spent)} steps of a chain, from a completion to the next claim: {median(spent):.0f} ms"
    print(f"{said} (at best {min(spent):.0f})   {failed}".rstrip(), flush=True)


def _claimer() -> Any:
    from django.utils import timezone

    from orchestrator.queries.work.work import Wanted
    from orchestrator.services.next_step import claim_next
    from orchestrator.services.people.callers import caller_by_name
    from orchestrator.services.work.completions import complete
    from tests.benchmarks.measure import chain
    from tests.benchmarks.rounds import approved
    from tests.cast import Cast

    cast = Cast()
    name = cast.builder("hopper").name
    approved(chain(HOPS), cast)

    def claimed() -> Any:
        caller = caller_by_name(name)
        who = {"executor": caller.executor, "actor": caller.actor}
        step = claim_next(**who, wanted=Wanted(), seconds=30, clock=timezone.now)
        assert step.assignment is not None
        held = {"attempt_id": step.assignment.attempt_id, "token": step.assignment.token}
        return lambda: complete(**held, **who, outcome="Done.", evidence={}, now=timezone.now())

    return claimed


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
        django.setup()
        from tests.benchmarks.floors import ended

        with installation(Path(folder)) as pid:
            at_rest(pid)
            hops()
    return ended()


if __name__ == "__main__":
    sys.exit(main())
