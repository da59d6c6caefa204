"""A whole advance after one completion in a chain: statements, processes of git, and CPU (FR-005, DC-6).

Most of the CPU goes into the state files, which show the whole plan; what is read from the database and from
the files of handovers does not grow.
"""

import time
from typing import Final

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Attempt, Workstream
from orchestrator.services.advance import advance
from orchestrator.services.base.actor import Actor
from orchestrator.services.work import claims, completions
from tests.benchmarks.rounds import approved, database, stand_at
from tests.cast import NOON, Cast
from tests.services.statements import statements

REPEATS: Final = 3
#: Statements and processes of git, by how many steps were complete, before rounds wrote each table once and
#: commits were made in this process.
BEFORE: Final = {40: (159, 14), 160: (278, 14)}


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


def cost(workstream: Workstream, cast: Cast) -> tuple[int, float]:
    completed(workstream, cast)
    start = time.process_time()
    with statements() as seen:
        advance(workstream_id=workstream.pk, clock=lambda: NOON)
    return len(seen), 1000 * (time.process_time() - start)


def measure() -> None:
    """Prints a line for each length of the chain; needs a workspace of its own (`WORKSPACE_DIR`)."""
    with database():
        cast = Cast()
        print(f"\n{'an advance after one completion':44} statements   ms CPU")
        for complete in (40, 160, 2000):
            workstream = approved(chain(complete + 10), cast)
            stand_at(workstream, complete, 1)
            completed(workstream, cast)
            advance(workstream_id=workstream.pk, clock=lambda: NOON)
            costs = [cost(workstream, cast) for _ in range(REPEATS)]
            before = f"   before: {BEFORE[complete][0]}" if complete in BEFORE else ""
            print(f"{f'{complete} complete':44} {costs[-1][0]:10} {min(ms for _, ms in costs):8.1f}{before}")
