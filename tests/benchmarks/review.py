"""The review page of a large plan: CPU of one request and size of its HTML (WF-3). Called by `measure.py`."""

import time

from django.test import Client

from orchestrator.services.plans import submit_plan
from tests.benchmarks.rounds import database
from tests.cast import NOON, Cast

REPEATS = 5


def batches(steps: int) -> str:
    """A native plan as people write them: ten steps a batch in two threads, each with its role and criteria."""
    lines = ["# Plan: Review", "## Summary", "What a reviewer reads.", "## Stages", "### Stage 1: all"]
    for n in range(steps):
        if n % 10 == 0:
            lines += [f"##### Batch {n // 10:02}: part {n // 10}"]
        if n % 5 == 0:
            lines += [f"###### Thread {n % 10 // 5 + 1:02}: lane", "- Role: contributor"]
        lines += [f"- S{n}: do piece {n}", f"  - Files: src/part{n}.py", f"  - Exit: piece {n} is proved"]
    return "\n".join(lines) + "\n"


def measure(large: int = 1000) -> None:
    """One line for a first version and one for a second, which is shown as changes; half the size beside each."""
    print(f"\nreview page of {large} tasks, ms CPU and kB, first version and changed one; × {large // 2} tasks")
    with database():
        cast = Cast()
        client = Client()
        client.force_login(cast.reviewer)
        small, full = _pages(client, cast, large // 2), _pages(client, cast, large)
        for name, (half_ms, _), (ms, size) in zip(("whole", "changed"), small, full, strict=True):
            print(f"{name:10} {ms:7.0f} ms {size / 1000:7.1f} kB   × {ms / half_ms:4.1f}")


def _pages(client: Client, cast: Cast, steps: int) -> list[tuple[float, int]]:
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
    return [_page(client, f"/plans/{one.version.workflow.slug}/v{one.version.number}/") for one in (first, second)]


def _page(client: Client, address: str) -> tuple[float, int]:
    times, size = [], 0
    for _ in range(REPEATS):
        start = time.process_time()
        answer = client.get(address)
        times.append(1000 * (time.process_time() - start))
        assert answer.status_code == 200
        size = len(answer.content)
    return min(times), size
