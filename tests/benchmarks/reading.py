"""`make bench`: reading and checking 10,000 tasks of every format: CPU time and memory, each in its own
process.

The memory is that of the whole process, with Python itself; the growth compares with half as many tasks.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.framework import join
from orchestrator.core.plans.formats.plan_file_text import render_plan_file
from orchestrator.core.plans.plan import BatchSpec, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.text.render import render_plan
from tests.benchmarks.floors import judge
from tests.benchmarks.prose_texts import PROSE

TASKS: Final = 10_000
WIDTH: Final = 200
#: What reading 10,000 tasks of any format may take on a machine with nothing else to do; twice as many
#: tasks take no more than the growth times as long.
MOST_SECONDS, MOST_MEGABYTES, MOST_GROWTH = 1.0, 200, 2.3


def _needs(number: int) -> list[int]:
    """A task waits for the one that stands a layer before it."""
    return [number - WIDTH] if number >= WIDTH else []


def _place(number: int) -> tuple[int, int, int]:
    return number // 1000 + 1, number // 100 % 10 + 1, number // 10 % 10 + 1


def _id(number: int) -> str:
    stage, batch, thread = _place(number)
    return f"{stage:02}.{batch:02}.{thread:02}.{number % 10 + 1:02}"


def value_of(count: int) -> Plan:
    stages = []
    for first in range(0, count, 1000):
        steps = [
            StepSpec(f"T{n:05}", f"Build part {n}", role="contributor", exit=("It works",))
            for n in range(first, first + 1000)
        ]
        threads = [
            ThreadSpec(f"{n:02}", f"Lane {n}", steps=tuple(steps[n * 100 : n * 100 + 100])) for n in range(10)
        ]
        stages.append(
            StageSpec(first // 1000 + 1, "Build", batches=(BatchSpec("01", "All", threads=tuple(threads)),))
        )
    return Plan("Large", tuple(stages))


def spec_kit(count: int) -> str:
    lines = ["# Tasks: Large"]
    for n in range(count):
        lines += [f"## Phase {n // 500 + 1}: Part"] if n % 500 == 0 else []
        lines.append(f"- [ ] T{n:05} [P] [US1] Build part {n} in `src/part{n}/main.py`")
    return "\n".join(
        [*lines, "## Dependencies", *(f"- T{n:05} → T{n + 1:05}" for n in range(0, count - 1, 10))]
    )


def task_master(count: int) -> str:
    tasks = [
        {"id": n, "title": f"Build {n}", "dependencies": _needs(n), "status": "done"} for n in range(count)
    ]
    return json.dumps({"tasks": tasks}, indent=1)


def beads(count: int) -> str:
    def line(n: int) -> str:
        links = [{"depends_on_id": f"b-{need}", "type": "blocks"} for need in _needs(n)]
        return json.dumps(
            {"id": f"b-{n}", "title": f"Build {n}", "priority": 1, "status": "open", "dependencies": links}
        )

    return "\n".join(line(n) for n in range(count))


def backlog(count: int) -> str:
    head = "---\nid: task-{0}\ntitle: Build {0}\nstatus: To Do\ndependencies: {1}\n---\nText\n"
    return "".join(head.format(n, [f"task-{need}" for need in _needs(n)]) for n in range(count))


def bundle_ws(count: int) -> str:
    tasks = [f"Build part {n}" for n in range(count)]
    return json.dumps(
        {"id": "ws-large", "files_scope": ["src/**"], "tasks": tasks, "tool": "pytest", "gate": 1}
    )


def tasks_state(count: int) -> str:
    def task(n: int) -> dict[str, Any]:
        stage, batch, thread = _place(n)
        names = {"stage_name": f"S {stage}", "batch_name": f"B {batch}", "thread_name": f"T {thread}"}
        times = {"created_at": "2026-01-22T18:03:47.255Z", "updated_at": "2026-01-22T19:10:57.780Z"}
        return {"id": _id(n), "name": f"Build {n}", **names, "status": "completed", **times}

    return json.dumps(
        {"version": "1.0.0", "stream_id": "large", "tasks": [task(n) for n in range(count)]}, indent=2
    )


def tasks_markdown(count: int) -> str:
    lines = ["# Tasks: Large"]
    for n in range(count):
        stage, batch, thread = _place(n)
        lines += [f"## Stage {stage}: S"] if n % 1000 == 0 else []
        lines += [f"### Batch {batch}: B"] if n % 100 == 0 else []
        lines += [f"#### Thread {thread}: T"] if n % 10 == 0 else []
        lines.append(f"- [x] Task {_id(n)}: Build {n}")
    return "\n".join(lines)


def folder(count: int) -> str:
    lines = ["# Plan: Large"]
    for n in range(0, count, 10):
        stage, batch, thread = _place(n)
        lines += [f"### Stage {stage}: S"] if n % 1000 == 0 else []
        lines += [f"##### Batch {batch:02}: B"] if n % 100 == 0 else []
        lines.append(f"###### Thread {thread:02}: T")
    return join(
        [
            ("PLAN.md", "\n".join(lines)),
            ("TASKS.md", tasks_markdown(count)),
            ("tasks.json", tasks_state(count)),
        ]
    )


FORMATS: Final[dict[str, Callable[[int], str]]] = {
    "plan": lambda count: render_plan(value_of(count)),
    "plan-file": lambda count: render_plan_file(value_of(count)),
    "spec-kit": spec_kit,
    "task-master": task_master,
    "beads": beads,
    "backlog": backlog,
    "bundle-ws": bundle_ws,
    "tasks": tasks_state,
    "tasks-md": tasks_markdown,
    "folder": folder,
    **PROSE,
}


def read_one(name: str, count: int) -> None:
    """In a process of its own: prints CPU seconds, peak memory in MB, tasks read and blocking findings."""
    text = FORMATS[name](count)
    started = time.process_time()
    reading = read(text, frozenset({"pytest"}))
    took = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tasks = sum(1 for _ in reading.plan.steps()) if reading.plan else 0
    print(json.dumps([took, peak, tasks, len(reading.blockers), reading.format, len(text)]))


def measure() -> None:
    print(f"\n{'reading and checking 10,000 tasks':34} {'half':>8} {'full':>8}   growth   peak memory   size")
    for name in FORMATS:
        half, full = (
            json.loads(
                subprocess.check_output([sys.executable, "-m", "tests.benchmarks.reading", name, str(count)])
            )
            for count in (TASKS // 2, TASKS)
        )
        assert full[2] >= TASKS, f"{name}: {full}"
        growth = full[0] / half[0]
        judge(f"reading {name}, seconds", full[0], MOST_SECONDS)
        judge(f"reading {name}, memory", full[1], MOST_MEGABYTES, " MB")
        judge(f"reading {name}, growth", growth, MOST_GROWTH)
        times = f"{half[0]:6.2f} s {full[0]:6.2f} s   × {growth:4.1f}"
        over = [
            *(["over 1 s"] if full[0] > MOST_SECONDS else []),
            *(["over 200 MB"] if full[1] > MOST_MEGABYTES else []),
            *(["grows too fast"] if growth > MOST_GROWTH else []),
        ]
        sizes = f"{full[1]:8.0f} MB {full[5] / 1e6:6.1f} MB"
        print(f"{name:34} {times}   {sizes}  {', '.join(over)}".rstrip(), flush=True)


if __name__ == "__main__":
    read_one(sys.argv[1], int(sys.argv[2]))
