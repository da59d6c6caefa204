"""`make bench-loaded`: an installation with everybody at work, on the database that DATABASE_URL names.

Eight executors ask for the next step over REST, each as soon as it has completed one, until a plan of `STEPS`
(1,000) in twenty lanes is done; halfway somebody approves another plan. Prints steps a second, how long a
claim and a completion take, how evenly the steps fell, how long the other plan waited for its first step to
be launched, and the messages that are left in the queue. Ends with 1 where one falls short.
"""

import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import django
import psycopg

django.setup()

from tests.acceptance.installation import Installation  # noqa: E402
from tests.acceptance.test_fr028_crew import people_of  # noqa: E402
from tests.acceptance.test_fr028_scale_out import plan  # noqa: E402
from tests.benchmarks.floors import ended, judge, judge_least  # noqa: E402

EXECUTORS: Final = 8
LANES: Final = 20
#: Steps a second that are wanted, on SQLite and on PostgreSQL.
LEAST: Final = {"SQLite": 60.0, "PostgreSQL": 100.0}
#: Most milliseconds of 99 of 100 claims and completions; most messages left; most seconds until work of
#: another plan is launched; least share of the one who got least in that of the one who got most.
CALL, LEFT, OTHERS, EVEN = 150.0, 10, 1.0, 0.5
#: A claim that somebody waits for is not timed: `next` holds it back for this long at most.
WAIT: Final = 2
VACUUM_EVERY: Final = 5.0


class Timed:
    """One executor: a connection that stays open, and how long its calls took."""

    def __init__(self, port: int, token: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.claims: list[float] = []
        self.completions: list[float] = []
        self.keys: list[str] = []
        self.refused: Counter[str] = Counter()

    def call(self, path: str, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        start = time.perf_counter()
        self.line.request("POST", f"/api/{path}", json.dumps(body), self.headers)
        answer = self.line.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        if answer.status >= 400:
            self.refused[told["code"]] += 1
        return 1000 * (time.perf_counter() - start), told

    def step(self, wait: int) -> bool:
        """Whether there was one."""
        took, told = self.call("next", {"wait": wait})
        claim = told.get("claim")
        if claim is None:
            return False
        attempt = claim["attempt"]
        if not wait:
            self.claims.append(took)
        done = {"token": claim["token"], "outcome": f"{attempt['key']} is there.", "evidence": {}}
        took, _ = self.call(f"attempts/{attempt['id']}/complete", done)
        self.completions.append(took)
        self.keys.append(f"{attempt['id']}")
        return True


def work(executors: list[Timed], steps: int, halfway: Callable[[], None]) -> float:
    """Until all steps are done; the seconds."""
    told = threading.Event()

    def done() -> int:
        return sum(len(one.keys) for one in executors)

    def run(one: Timed) -> None:
        while done() < steps:
            one.step(0) or one.step(WAIT)
            if done() >= steps // 2:
                told.set()

    threads = [threading.Thread(target=run, args=(one,)) for one in executors]
    start = time.perf_counter()
    for each in threads:
        each.start()
    told.wait()
    halfway()
    for each in threads:
        each.join()
    return time.perf_counter() - start


def late(times: list[float]) -> float:
    """What 99 of 100 took at most."""
    return sorted(times)[max(0, len(times) * 99 // 100 - 1)]


@contextmanager
def vacuumed(installation: Installation) -> Iterator[None]:
    """What the server's autovacuum does, where that is off: without it the planner knows nothing."""
    database = installation.database
    if not database.server:
        yield
        return
    done = threading.Event()

    def run() -> None:
        with psycopg.connect(f"{database.server}/{database.name}", autocommit=True) as connection:
            row = connection.execute("SHOW autovacuum").fetchone()
            while row == ("off",) and not done.wait(VACUUM_EVERY):
                connection.execute("VACUUM ANALYZE")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def measure(folder: Path, steps: int) -> None:
    names = [f"crew-{number}" for number in range(1, EXECUTORS + 1)]
    with Installation(folder, 1, demo=False) as installation, vacuumed(installation):
        sources = [plan(1, LANES, steps // LANES)]
        tokens = people_of(installation, "begin_several", *names, send=json.dumps(sources))["tokens"]
        executors = [Timed(installation.port, tokens[name]) for name in names]
        other = json.dumps([plan(2, 1, 1)])
        seconds = work(executors, steps, lambda: people_of(installation, "begin_several", send=other))
        show(executors, steps / seconds, people_of(installation, "waited"))


def show(executors: list[Timed], rate: float, waited: dict[str, Any]) -> None:
    vendor = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    claims = [took for one in executors for took in one.claims]
    completions = [took for one in executors for took in one.completions]
    shares = sorted(len(one.keys) for one in executors)
    keys = Counter(key for one in executors for key in one.keys)
    least, left, other = shares[0] / shares[-1], waited["messages"], waited["seconds"]
    rows = [
        ("steps a second", rate, judge_least("steps a second", rate, LEAST[vendor])),
        ("a claim, 99 of 100, ms", late(claims), judge("a claim", late(claims), CALL, " ms")),
        ("a completion, 99 of 100, ms", late(completions), judge("a completion", late(completions), CALL)),
        ("steps done twice", len(keys) - sum(keys.values()), judge("twice", max(keys.values()), 1)),
        ("least share, of the most", least, judge_least("share", least, EVEN)),
        ("messages left", left, judge("messages left", left, LEFT)),
        ("another plan waited, s", other, judge("another plan", other, OTHERS, " s")),
    ]
    print(
        f"\n{EXECUTORS} executors over REST, {vendor}, {len(completions)} steps, {os.cpu_count()} processors"
    )
    for name, measured, failed in rows:
        print(f"{name:32} {measured:8.1f}   {failed}".rstrip(), flush=True)
    print(f"shares {shares}, refused {dict(sum((one.refused for one in executors), Counter()))}")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), int(sys.argv[1]))
    return ended()


if __name__ == "__main__":
    sys.exit(main())
