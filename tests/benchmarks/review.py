"""The review page of a large plan: CPU of one request and size of its HTML (WF-3). Called by `measure.py`."""

import time

from django.test import Client

from orchestrator.queries.plans import readings, review
from orchestrator.services.plans.plans import submit_plan
from tests.benchmarks.rounds import database
from tests.cast import NOON, Cast

REPEATS = 5


def batches(steps: int) -> str:
    """A native plan as people write them: ten steps a batch in two threads, each with its role
    and criteria.
    """
    lines = ["# Plan: Review", "## Summary", "What a reviewer reads.", "## Stages", "### Stage 1: all"]
    for n in range(steps):
        if n % 10 == 0:
            lines += [f"##### Batch {n // 10:02}: part {n // 10}"]
        if n % 5 == 0:
            lines += [f"###### Thread {n % 10 // 5 + 1:02}: lane", "- Role: contributor"]
        lines += [f"- S{n}: do piece {n}", f"  - Files: src/part{n}.py", f"  - Exit: piece {n} is proved"]
    return "\n".join(lines) + "\n"


def measure(large: int = 1000) -> None:
    """Two lines for a first version and two for a second, which is shown as changes: the first view in a
    process, and the next; half the size beside each."""
    print(
        f"\nreview page of {large} tasks, ms CPU and kB, first version and changed one; × {large // 2} tasks"
    )
    with database():
        cast = Cast()
        client = Client(SERVER_NAME="localhost")
        client.force_login(cast.reviewer)
        small, full = _pages(client, cast, large // 2), _pages(client, cast, large)
        for name, half, page in zip(("whole", "changed"), small, full, strict=True):
            for view, half_ms, ms in zip(("first", "next"), half[:2], page[:2], strict=True):
                print(f"{name:8} {view:6} {ms:7.0f} ms {page[2] / 1000:7.1f} kB   × {ms / half_ms:4.1f}")


def _pages(client: Client, cast: Cast, steps: int) -> list[tuple[float, float, int]]:
    ines, source = cast.actor("initiator"), batches(steps)
    first = submit_plan(source=source.encode(), source_name="PLAN.md", actor=ines, now=NOON)
    changed = source.replace("piece 7 is", "piece 7 is always").replace("piece 300 is", "piece 300 is now")
    second = submit_plan(
        source=changed.encode(),
        source_name="PLAN.md",
        actor=ines,
        now=NOON,
        workstream=first.workstream,
        change_reason="Seven.",
    )
    return [
        _page(client, f"/plans/{one.version.workflow.slug}/v{one.version.number}/") for one in (first, second)
    ]


def _page(client: Client, address: str) -> tuple[float, float, int]:
    """The fastest first view and the fastest later one, in ms CPU, and the bytes of the page."""
    _get(client, address)
    firsts, others, size = [], [], 0
    for _ in range(REPEATS):
        _forget()
        firsts.append(_get(client, address)[0])
        took, size = _get(client, address)
        others.append(took)
    return min(firsts), min(others), size


def _get(client: Client, address: str) -> tuple[float, int]:
    start = time.process_time()
    answer = client.get(address)
    took = 1000 * (time.process_time() - start)
    assert answer.status_code == 200
    return took, len(answer.content)


def _forget() -> None:
    """As a process that has read no plan yet."""
    for kept in (*vars(readings).values(), *vars(review).values()):
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()
