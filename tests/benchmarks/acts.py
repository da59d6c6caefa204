"""Single acts, and a step with all of its share: statements and CPU milliseconds beside those from before."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean, median

from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Attempt, Wake, Workstream
from orchestrator.services.advance import advance
from orchestrator.services.base.wake import begun
from orchestrator.services.people.callers import Caller, caller_by_name
from orchestrator.services.review.gates import approve_gate
from orchestrator.services.work.claims import claim, report
from orchestrator.services.work.completions import complete
from orchestrator.services.work.failures import fail
from tests.benchmarks.floors import STATES, judge, raw_step
from tests.benchmarks.rounds import approved
from tests.cast import NOON, Cast
from tests.services.statements import CONTROL

#: Statements, and milliseconds where they were measured, of one act before it was load, decide, write.
BEFORE = {
    "claim": "30",
    "report": "16",
    "complete, one output": "32",
    "fail": "30",
    "sign a gate": "46",
    "a whole step, wide": "71   26-40 ms",
    "a whole step, chain": "227-346   110-390 ms",
}
#: What each takes at most, or the run fails: statements, and how many times the floor of CPU
#: (`floors.raw_step`), which is as far as it came.
AIMS = {
    "claim": (11, 4.0),
    "report": (7, 3.0),
    "complete, one output": (16, 6.0),
    "fail": (14, 5.0),
    "sign a gate": (16, 8.0),
    "a whole step, wide": (34, 7.0),
    "a whole step, chain": (75, 20.0),
}
#: Where whole steps are to get to, on a machine that does nothing else.
REACH = {"a whole step, wide": "8 ms", "a whole step, chain": "15 ms"}
#: Of whole steps the mean counts: now and then one has the state files to write.
WHOLE = "a whole step"
REPEATS = 10


class Meter:
    """Statements and CPU of acts, by name."""

    def __init__(self) -> None:
        self.statements: dict[str, list[int]] = defaultdict(list)
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self._count = 0

    def measure(self, name: str, act: Callable[[], object], steps: int = 1) -> None:
        """One run of an act; or of several steps, of which the mean counts."""
        self._count = 0
        Wake.objects.update(waits=False)
        with connection.execute_wrapper(self._watch):
            start = time.process_time()
            act()
            spent = 1000 * (time.process_time() - start)
        self.statements[name].append(round(self._count / steps))
        self.milliseconds[name].append(spent / steps)

    def _watch(self, execute, sql, params, many, context):
        self._count += not sql.lstrip().upper().startswith(CONTROL)
        return execute(sql, params, many, context)

    def show(self, names: list[str]) -> None:
        floor = raw_step()
        print(f"\nthe floor, {STATES} states of a step as rows of bare SQLite: {floor:.2f} ms CPU")
        print(f"{'one act':24} {'statements':>10} {'ms CPU':>8} {'× floor':>8}   at most    {'aim':6} before")
        for name in names:
            middle = mean if name.startswith(WHOLE) else median
            counted, spent = middle(self.statements[name]), middle(self.milliseconds[name])
            most, times = AIMS[name]
            failed = judge(f"{name}, statements", round(counted), most)
            failed = judge(f"{name}, CPU", spent / floor, times, " × the floor") or failed
            row = f"{name:24} {counted:10.0f} {spent:8.1f} {spent / floor:8.1f}   {most:3} {times:4.0f} ×"
            aim = REACH.get(name, "")
            print(f"{row} {aim:6}   {BEFORE[name]:24} {failed}".rstrip(), flush=True)


class Worker:
    """One executor that does the steps of a workstream, as a machine interface lets it."""

    def __init__(self, workstream: Workstream) -> None:
        self.workstream = workstream

    def next(self) -> int:
        """The id of an attempt that waits."""
        queued = Attempt.objects.filter(task__workstream=self.workstream, status=AttemptStatus.QUEUED)
        return queued.order_by("pk").values_list("pk", flat=True)[0]

    def begin(self, attempt: int, caller: Caller) -> int:
        """Claim it; the token."""
        return claim(attempt_id=attempt, executor=caller.executor, actor=caller.actor, now=NOON).token

    def end(self, attempt: int, token: int, caller: Caller, outputs: dict[str, bytes] | None = None) -> None:
        complete(
            attempt_id=attempt,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            outcome="Done.",
            evidence={},
            outputs=outputs,
            now=NOON,
        )

    def do(self) -> None:
        """Claim and complete, each with a caller that is known anew."""
        attempt = self.next()
        token = self.begin(attempt, caller_by_name("builder-1"))
        self.end(attempt, token, caller_by_name("builder-1"))

    def go_on(self) -> None:
        """What the queue does with a message."""
        begun(self.workstream.pk)
        advance(workstream_id=self.workstream.pk, clock=timezone.now)


def single_acts(meter: Meter, source: str, cast: Cast) -> None:
    worker = Worker(approved(source, cast))
    worker.go_on()
    caller = caller_by_name("builder-1")
    who = {"executor": caller.executor, "actor": caller.actor, "now": NOON}
    for _ in range(REPEATS):
        attempt, tokens = worker.next(), list[int]()
        meter.measure("claim", lambda one=attempt, to=tokens: to.append(worker.begin(one, caller)))
        held = {"attempt_id": attempt, "token": tokens[0], **who}
        meter.measure("report", partial(report, breadcrumb="Half done.", **held))
        outputs = {f"{attempt}.md": b"# Notes\n"}
        meter.measure("complete, one output", partial(worker.end, attempt, tokens[0], caller, outputs))
        attempt = worker.next()
        held = {"attempt_id": attempt, "token": worker.begin(attempt, caller), **who}
        meter.measure("fail", partial(fail, error="It broke.", **held))


GATED = """# Plan: Gated {number}
## Stages
### Stage 1: all
##### Batch 01: b
###### Thread 01: t
- A1: step
### Merge Point MP1
- **Trigger:** A1 complete
- **Reviewers:** reviewer
"""


def signatures(meter: Meter, cast: Cast) -> None:
    for number in range(REPEATS):
        worker = Worker(approved(GATED.format(number=number), cast))
        worker.go_on()
        worker.do()
        worker.go_on()
        gate = worker.workstream.tasks.get(step__key="MP1").pk
        reviewer = cast.actor("reviewer")
        reviewer.roles()
        meter.measure("sign a gate", partial(approve_gate, task_id=gate, actor=reviewer, now=NOON))


def whole_steps(meter: Meter, wide: str, width: int, chain: str, length: int, cast: Cast) -> None:
    worker = Worker(approved(wide, cast))
    worker.go_on()

    def all_of_them() -> None:
        for _ in range(width):
            worker.do()
        worker.go_on()

    meter.measure("a whole step, wide", all_of_them, steps=width)
    worker = Worker(approved(chain, cast))
    worker.go_on()
    for _ in range(length):
        meter.measure("a whole step, chain", lambda: (worker.do(), worker.go_on()))


def measure(layers: Callable[[int, int], str], chain: Callable[[int], str]) -> None:
    """Prints the table. Expects a database that may be written to."""
    meter, cast = Meter(), Cast()
    cast.builder()
    with tempfile.TemporaryDirectory() as folder, override_settings(WORKSPACE_DIR=Path(folder)):
        single_acts(meter, layers(1, 4 * REPEATS), cast)
        signatures(meter, cast)
        whole_steps(meter, layers(1, 100), 100, chain(60), 60, cast)
    meter.show(list(BEFORE))
