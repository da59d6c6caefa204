"""A whole advance after one completion in a chain: statements, and CPU (FR-005, DC-6).

At most one advance a second writes the state files, which show the whole plan, so what it costs grows with
the plan. The others leave them to it, and what they cost does not grow.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Attempt, Workstream
from orchestrator.services.advance import advance
from orchestrator.services.base.actor import Actor
from orchestrator.services.work import claims, completions
from tests.benchmarks.rounds import approved, database, stand_at
from tests.cast import NOON, Cast
from tests.services.statements import statements

REPEATS: Final = 5
LENGTHS: Final = (40, 160, 2000, 9960)
#: Statements, and milliseconds where they were measured, by how many steps were complete: before rounds wrote
#: each table once and commits were made in this process; and then, when each advance wrote the state files.
BEFORE: Final = {
    40: "159, then 41 and 45 ms",
    160: "278, then 41 and 49 ms",
    2000: "41 and 220 ms",
    9960: "41 and 2,100 ms",
}


def chain(length: int) -> str:
    steps = "\n".join(f"- S{n}: step\n  - Exit: it works" for n in range(length))
    return f"# Plan: Chain\n## Stages\n### Stage 1: all\n##### Batch 01: b\n###### Thread 01: t\n{steps}\n"


def completed(workstream: Workstream, cast: Cast) -> None:
    """The next step is claimed and complete, and nobody has advanced since."""
    executor = cast.builder()
    attempt = Attempt.objects.get(task__workstream=workstream, status=AttemptStatus.QUEUED)
    held = claims.claim(attempt_id=attempt.pk, executor=executor, actor=Actor.member(executor), now=NOON)
    criteria = attempt.task.step.criteria.values_list("pk", flat=True)
    completions.complete(
        attempt_id=attempt.pk,
        token=held.token,
        executor=executor,
        outcome="Done.",
        evidence=dict.fromkeys(criteria, "It works."),
        now=NOON,
    )


def cost(workstream: Workstream, cast: Cast, *, at: datetime) -> tuple[int, float]:
    completed(workstream, cast)
    start = time.process_time()
    with statements() as seen:
        advance(workstream_id=workstream.pk, clock=lambda: at)
    return len(seen), 1000 * (time.process_time() - start)


def measure() -> None:
    """Prints a line for each length of the chain; needs a workspace of its own (`WORKSPACE_DIR`)."""
    with database():
        cast = Cast()
        print(f"\n{'an advance after one completion':44} statements   ms CPU   and with the state files")
        for complete in LENGTHS:
            workstream = approved(chain(complete + 20), cast)
            stand_at(workstream, complete, 1)
            completed(workstream, cast)
            advance(workstream_id=workstream.pk, clock=lambda: NOON)
            seconds = range(1, REPEATS + 1)
            fast = [cost(workstream, cast, at=NOON) for _ in seconds]
            writing = [cost(workstream, cast, at=NOON + timedelta(seconds=second)) for second in seconds]
            spent = f"{_least(fast)}   {_least(writing)}"
            print(f"{f'{complete} complete':44} {spent}   before: {BEFORE[complete]}", flush=True)


def _least(costs: Sequence[tuple[int, float]]) -> str:
    return f"{costs[-1][0]:10} {min(ms for _, ms in costs):8.1f}"
