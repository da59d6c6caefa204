"""Rounds of large workstreams: CPU of one after one completion, with little and with much behind
it (FR-005).
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from django.db import connection

from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus
from orchestrator.models import Attempt, HandoffArtifact, PreHandoffReview, Task, Workstream
from orchestrator.services.advance import advance
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.locks import locked_workstream
from orchestrator.services.base.progress import recount
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.damage import check_handovers
from orchestrator.services.plans import plans
from orchestrator.services.review import decisions
from orchestrator.services.work import claims, completions
from orchestrator.services.work.scheduling import run_round
from tests.cast import NOON, Cast

REPEATS = 5


@contextmanager
def database() -> Iterator[None]:
    """A SQLite file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "bench.sqlite3")
        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0)
        yield
        connection.creation.destroy_test_db(name, verbosity=0)


def milliseconds(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return 1000 * (time.process_time() - start)


def approved(source: str, cast: Cast) -> Workstream:
    anna = cast.actor("approver")
    submission = plans.submit_plan(
        source=source.encode(), source_name="PLAN.md", actor=cast.actor("initiator"), now=NOON
    )
    # The shapes are alike, so the service would ask for a decision on each suspected duplicate.
    PreHandoffReview.objects.create(
        workstream=submission.workstream, reviewer=cast.approver, rationale="None.", signed_at=NOON
    )
    version = submission.version
    decisions.approve_version(version_id=version.pk, seen_sha256=version.source_sha256, actor=anna, now=NOON)
    return Workstream.objects.get(pk=submission.workstream.pk)


def stand_at(workstream: Workstream, complete: int, ready: int) -> None:
    """The first `complete` tasks done and handed over, the next `ready` ones launched, as rounds would leave
    them.
    """
    tasks = list(
        Task.objects.filter(workstream=workstream)
        .select_related("step")
        .order_by("batch_index", "run_index", "step__key")
    )
    done, open_ = tasks[:complete], tasks[complete : complete + ready]
    attempts = Attempt.objects.bulk_create(
        [
            Attempt(task=t, number=1, status=AttemptStatus.COMPLETED, queued_at=NOON, ended_at=NOON)
            for t in done
        ]
    )
    HandoffArtifact.objects.bulk_create(
        HandoffArtifact(
            workstream=workstream,
            sequence=number,
            attempt=attempt,
            event="attempt-completed",
            path=f"workstreams/{workstream.slug}/handoffs/{number}",
            sha256="0" * 64,
            state=ArtifactState.COMMITTED,
            created_at=NOON,
        )
        for number, attempt in enumerate(attempts, start=1)
    )
    Attempt.objects.bulk_create(
        [Attempt(task=t, number=1, queued_at=NOON, behind=t.step.behind) for t in open_]
    )
    Workstream.objects.filter(pk=workstream.pk).update(last_artifact=complete)
    Task.objects.filter(pk__in=[t.pk for t in done]).update(status=TaskStatus.COMPLETE)
    with unit_of_work():
        recount(locked_workstream(workstream.pk), NOON)
    rounds(workstream)


def rounds(workstream: Workstream) -> None:
    while run_round(workstream_id=workstream.pk, now=NOON):
        pass


def one_completion(workstream: Workstream, cast: Cast) -> None:
    executor = cast.builder()
    attempt = Attempt.objects.filter(task__workstream=workstream, status=AttemptStatus.QUEUED).order_by("pk")[
        0
    ]
    held = claims.claim(attempt_id=attempt.pk, executor=executor, actor=Actor.member(executor), now=NOON)
    rounds(workstream)
    completions.complete(
        attempt_id=attempt.pk, token=held.token, executor=executor, outcome="Done.", evidence={}, now=NOON
    )
    HandoffArtifact.objects.filter(workstream=workstream).update(state=ArtifactState.COMMITTED)


def after_one_completion(source: str, complete: int, ready: int, cast: Cast) -> list[float]:
    workstream = approved(source, cast)
    stand_at(workstream, complete, ready)
    times = []
    for _ in range(REPEATS):
        one_completion(workstream, cast)
        times.append(milliseconds(lambda: run_round(workstream_id=workstream.pk, now=NOON)))
    return times


def show(name: str, source: str, size: int, width: int, cast: Cast) -> None:
    """`width` tasks of a batch are ready at once; 0 for a chain."""
    cells = []
    for share in (0.1, 0.5, 0.9):
        complete = int(size * share) // (width or 1) * (width or 1) if width < size else int(size * share)
        ready = 1 if not width else min(width, size - complete)
        times = after_one_completion(source, complete, ready, cast)
        cells.append(f"{median(times):7.1f} {max(times):6.1f}")
    print(f"{name:44} {'  '.join(cells)}", flush=True)


def measure(shapes: list[tuple[str, str, int, int]], wide: str, first: str) -> None:
    with database():
        cast = Cast()
        print(
            f"\n{'a round after one completion, ms CPU':44} {'10 %':>14}  {'50 %':>14}  "
            f"{'90 %':>14}   median, max"
        )
        for name, source, size, width in shapes:
            show(name, source, size, width, cast)
        workstream = approved(wide, cast)
        print(f"{first:44} {milliseconds(lambda: run_round(workstream_id=workstream.pk, now=NOON)):7.0f}")
        check = milliseconds(lambda: check_handovers(workstream=workstream, now=NOON))
        print(f"{'checking its handovers, ms CPU':44} {check:7.0f}")
        print(f"{'a whole advance of it, ms CPU':44} {milliseconds(lambda: advance_of(workstream)):7.0f}")


def advance_of(workstream: Workstream) -> None:
    advance(workstream_id=workstream.pk, clock=lambda: NOON)
