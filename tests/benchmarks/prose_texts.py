"""Plans of any number of tasks as coding agents and people write them, for `make bench`."""

import json
from collections.abc import Callable
from typing import Final


def superpowers(count: int) -> str:
    def task(n: int) -> str:
        return (
            f"### Task {n}: Build part {n}\n\n**Files:**\n- Create: `src/part{n}.py`\n\n"
            f"- [ ] **Step 1: Write the test**\n\n```python\nassert {n}\n```\n\n- [ ] **Step 2: Run it**\n\n"
        )

    return "# Large Implementation Plan\n\n**Goal:** all of it\n\n" + "".join(map(task, range(1, count + 1)))


def openspec(count: int) -> str:
    def task(n: int) -> str:
        group = f"## {n // 50 + 1}. Group\n\n" if n % 50 == 0 else ""
        return f"{group}- [ ] {n // 50 + 1}.{n % 50 + 1} Build part {n} in `src/part{n}.py`\n"

    return "".join(map(task, range(count)))


def kiro(count: int) -> str:
    def task(n: int) -> str:
        group = f"- [ ] {n // 10 + 1}. Group\n" if n % 10 == 0 else ""
        return f"{group}  - [ ] {n // 10 + 1}.{n % 10 + 1} Build part {n}\n    - _Requirements: 1.2_\n"

    return "# Implementation Plan\n" + "".join(map(task, range(count)))


def conductor(count: int) -> str:
    def task(n: int) -> str:
        phase = f"## Phase {n // 50 + 1}: Part\n" if n % 50 == 0 else ""
        return f"{phase}- [x] Task: Build part {n} abc1234\n  - [x] Write tests\n  - [x] Implement\n"

    return "# Plan\n" + "".join(map(task, range(count)))


def plan_mode(count: int) -> str:
    steps = "".join(
        f"### {n}. Build part {n}\n- Change `src/part{n}.py`\n- Test it\n" for n in range(1, count + 1)
    )
    return f"# Plan\n## Context\nIt is large.\n## Implementation Steps\n{steps}"


def gsd(count: int) -> str:
    def task(n: int) -> str:
        return (
            f'<task type="auto">\n<name>Task {n}: Build {n}</name>\n<files>src/part{n}.py</files>\n'
            "<action>Build it</action>\n<verify>pytest</verify>\n<done>It works</done>\n</task>\n"
        )

    return "---\nwave: 1\n---\n<tasks>\n" + "".join(map(task, range(1, count + 1))) + "</tasks>\n"


def spec_kitty(count: int) -> str:
    def task(n: int) -> str:
        needed = f"WP{n // 20:02}" if n >= 20 else "None"
        head = f"## Work Package WP{n // 20 + 1:02}: Part\n**Dependencies**: {needed}\n\n"
        return f"{head if n % 20 == 0 else ''}- [ ] T{n:05} Build part {n} in `src/part{n}.py`\n"

    return "# Work Packages\n" + "".join(map(task, range(count)))


def to_do(count: int) -> str:
    return json.dumps([{"content": f"Build part {n}", "status": "pending"} for n in range(count)], indent=1)


def yaml(count: int) -> str:
    def task(n: int) -> str:
        stage = f"  - name: S{n // 100}\n    steps:\n" if n % 100 == 0 else ""
        needs = f"        depends_on: [Build part {n - 100}]\n" if n >= 100 else ""
        return f"{stage}      - title: Build part {n}\n        files: [src/part{n}.py]\n{needs}"

    return "name: Large\nstages:\n" + "".join(map(task, range(count)))


def checklist(count: int) -> str:
    needs = (f" (needs {n - 200})" if n > 200 else "" for n in range(1, count + 1))
    return "# Large\n" + "".join(f"- [ ] Build part {n}{need}\n" for n, need in enumerate(needs, 1))


def table(count: int) -> str:
    rows = (f"| {n} | Build {n} | {n - 200 if n > 200 else '-'} | anna |\n" for n in range(1, count + 1))
    return "# Large\n## Tasks\n| ID | Task | Depends on | Owner |\n|---|---|---|---|\n" + "".join(rows)


def headings(count: int) -> str:
    return "# Large\n" + "".join(
        f"## Part {n}: Build it\n- [ ] Build part {n}\n" for n in range(1, count + 1)
    )


def numbered(count: int) -> str:
    steps = (f"{n}. Build part {n} after Task {n - 1}\n   It needs care.\n" for n in range(1, count + 1))
    return "# Large\n## Steps\n" + "".join(steps)


PROSE: Final[dict[str, Callable[[int], str]]] = {
    "superpowers": superpowers,
    "openspec": openspec,
    "kiro": kiro,
    "conductor": conductor,
    "plan-mode": plan_mode,
    "get-shit-done": gsd,
    "spec-kitty": spec_kitty,
    "to-do": to_do,
    "yaml": yaml,
    "list: boxes": checklist,
    "list: numbered": numbered,
    "list: a table": table,
    "list: a heading a task": headings,
}
