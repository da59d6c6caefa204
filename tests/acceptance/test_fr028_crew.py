"""FR-027, FR-028, FR-014, AS-4: a crew of agents, each a process of its own, over MCP, REST and files,
finishes one plan on one repository while some of them are killed: nothing is done twice, and everything they
made is in what comes together."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.crew import SHARED
from tests.acceptance.installation import ROOT, Installation, free_port, wait_for
from tests.acceptance.lanes import command, make_repository

pytestmark = pytest.mark.installation
HEAD = """---
repository: sample
---
# Plan: A crew at work

## Stages

### Stage 1: Build

##### Batch 01: parts
"""
JOIN = """
##### Batch 02: together

###### Thread 01: all
- Files: `parts/Z/**`
"""


#: Z is what joins them.
LANES = "ABCDEFGHIJKLMNOPQRST"


def lane(name: str, steps: int) -> str:
    files = [f"parts/{name}/**", *([SHARED[name]] if name in SHARED else [])]
    owned = ", ".join(f"`{one}`" for one in files)
    lines = [f"\n###### Thread {LANES.index(name) + 1:02d}: {name}", f"- Files: {owned}"]
    for step in range(1, steps + 1):
        lines += [f"- {name}{step}: Part {step} of {name}", "  - Exit: its test is green"]
    return "\n".join(lines) + "\n"


def plan(lanes: int, steps: int, joins: int) -> str:
    """So many lanes of so many steps; then what joins them, first of all proved by every test there is."""
    text = HEAD + "".join(lane(name, steps) for name in LANES[:lanes]) + JOIN
    for number in range(1, joins + 1):
        text += f"- Z{number}: Bring it together, {number}\n  - Exit: it works\n"
        text += "  - Verify: `pytest -q parts`\n" if number == 1 else ""
    return text


@dataclass
class Worker:
    """A process of the crew, and what it said so far."""

    way: str
    name: str
    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)
    listening: threading.Thread | None = None

    def words(self, word: str) -> list[str]:
        return [line.split(maxsplit=1)[1] for line in list(self.said) if line.startswith(f"{word} ")]

    @property
    def holds(self) -> str:
        """The step that it said it claimed and not that it is done."""
        claimed, done = self.words("claimed"), self.words("done")
        return claimed[-1] if claimed and claimed[-1] not in done else ""


def people_of(installation: Installation, *words: str, send: str = "") -> Any:
    """What the people around a crew answer (`crew_people`)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.crew_people", *words],
        cwd=ROOT,
        env=installation.environment,
        input=send,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def start_worker(way: str, name: str, argv: list[str], given: dict[str, str]) -> Worker:
    process = subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    worker = Worker(way, name, process)
    worker.listening = threading.Thread(target=_listen, args=(worker,), daemon=True)
    worker.listening.start()
    return worker


def _listen(worker: Worker) -> None:
    assert worker.process.stdout is not None
    with worker.process.stdout as lines:
        worker.said.extend(line.rstrip() for line in lines)


class Crew:
    """Starts the agents of an installation, kills them, and knows what they said."""

    def __init__(self, installation: Installation, source: str, names: dict[str, str]) -> None:
        self.installation, self.ways, self.workers = installation, names, list[Worker]()
        told = self.people("begin", *names, send=source)
        self.slug, self.tokens = told["slug"], told["tokens"]

    def people(self, *words: str, send: str = "") -> Any:
        return people_of(self.installation, *words, send=send)

    def start(self, name: str) -> None:
        port, folder = self.installation.port, self.installation.folder
        given = {
            "URL": f"http://127.0.0.1:{port}",
            "MCP": f"http://127.0.0.1:{self.installation.environment.get('MCP_PORT')}/mcp",
            "TOKEN": self.tokens[name],
            "WORKSPACE": str(folder / "workspace"),
            "FOLDER": str(folder / "elsewhere" / name),
        }
        argv = [sys.executable, "-m", "tests.acceptance.crew", self.ways[name], name, self.slug]
        self.workers.append(start_worker(self.ways[name], name, argv, given))

    def kill_at_work(self, name: str) -> str:
        """Kill it while it holds a step; the step."""
        worker = next(one for one in self.workers if one.name == name and one.process.poll() is None)
        wait_for(lambda: worker.holds, 60, self.said)
        worker.process.kill()
        worker.process.wait()
        return worker.holds

    def done(self) -> int:
        return sum(len(worker.words("done")) for worker in self.workers)

    def wait_for_done(self, steps: int, seconds: float) -> None:
        wait_for(lambda: self.done() >= steps or self.broken(), seconds, self.said)
        assert not self.broken(), self.said()

    def broken(self) -> bool:
        """Whether one ended that nobody killed."""
        return any((one.process.poll() or -1) >= 0 for one in self.workers)

    def finish(self, seconds: float) -> dict[str, Any]:
        """Until no step is open; what came of it. Who was killed behind its completion never said it."""
        wait_for(lambda: not self.open_steps() or self.broken(), seconds, self.said)
        assert not self.broken(), self.said()
        return dict(self.people("end", self.slug))

    def open_steps(self) -> int:
        time.sleep(0.3)
        headers = {"Authorization": f"Bearer {next(iter(self.tokens.values()))}"}
        address = f"http://127.0.0.1:{self.installation.port}/api/workstreams/"
        items = httpx.get(address, headers=headers, timeout=60).json()["items"]
        return next(int(one["open_tasks"]) for one in items if one["slug"] == self.slug)

    def end(self) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
            if worker.listening is not None:
                worker.listening.join()

    def said(self) -> str:
        last = "\n".join(f"{one.name}: {one.said[-12:]}" for one in self.workers)
        return f"{last}\n{self.installation.said()}"

    def refusals(self) -> Counter[str]:
        return Counter(word for worker in self.workers for word in worker.words("refused"))


def crew_of(**ways: int) -> dict[str, str]:
    return {f"{way}-{number}": way for way, count in ways.items() for number in range(1, count + 1)}


def merged(repository: Path, into: Path, joins: int) -> set[str]:
    """What the last join handed over, checked out beside the repository: the steps whose work is in it."""
    log = command(repository, "log", "--all", "--format=%H %s").splitlines()
    last = next(line.split()[0] for line in log if line.endswith(f" Z{joins}"))
    command(repository, "worktree", "add", "--quiet", "--detach", str(into), last)
    return {path.stem.removeprefix("part_").upper() for path in into.glob("parts/*/part_*.py")}


def check(
    crew: Crew, told: dict[str, Any], repository: Path, into: Path, steps: set[str], joins: int
) -> None:
    assert told["completed"] == dict.fromkeys(sorted(told["completed"]), 1), "something was done twice"
    assert set(told["completed"]) == steps
    assert told["handovers"] == len(steps)
    assert (told["breach"], told["problems"], told["touched"], told["places"]) == ("", [], [], [])
    found = merged(repository, into, joins)
    assert found == steps
    for lane_name, shared in SHARED.items():
        lines = (into / shared).read_text().split()
        mine = [line for line in lines if line.startswith(lane_name)]
        assert set(mine) == {key for key in steps if key.startswith(lane_name)}
    green = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "parts"],
        cwd=into,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(into)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert green.returncode == 0, green.stdout
    assert f"{len(found)} passed" in green.stdout, green.stdout


def run_crew(
    folder: Path, names: dict[str, str], size: tuple[int, int, int], kill_at: int, seconds: float
) -> dict[str, Any]:
    """Two are killed for good, and one comes back and remembers nothing."""
    lanes, steps, joins = size
    keys = {f"{name}{step}" for name in LANES[:lanes] for step in range(1, steps + 1)}
    keys |= {f"Z{number}" for number in range(1, joins + 1)}
    repository = make_repository(
        folder / "var" / "repositories" / "sample", **{"parts/none.txt": "", "shared/none.txt": ""}
    )
    with Installation(folder / "var", 1, demo=False, MCP_PORT=str(free_port())) as installation:
        crew = Crew(installation, plan(*size), names)
        began = time.monotonic()
        try:
            for name in names:
                crew.start(name)
            crew.wait_for_done(kill_at, seconds)
            forgetful, *dead = [f"{way}-1" for way in ("rest", "mcp", "remote")]
            forgotten = crew.kill_at_work(forgetful)
            crew.start(forgetful)
            killed = [crew.kill_at_work(name) for name in dead]
            crew.people("gone", *dead)
            told = crew.finish(seconds)
            again = next(one for one in reversed(crew.workers) if one.name == forgetful)
            told |= {"seconds": time.monotonic() - began, "refusals": crew.refusals(), "killed": killed}
            assert forgotten in again.words("claimed"), "what it held is given again"
            assert not [line for one in crew.workers for line in one.words("broken")]
            check(crew, told, repository, folder / "merged", keys, joins)
        finally:
            crew.end()
        print(json.dumps({name: told[name] for name in ("seconds", "shares", "refusals", "killed")}))
    return told


@pytest.mark.nightly
def test_fr028_a_small_crew_finishes_a_plan_although_some_are_killed(tmp_path: Path) -> None:
    # Each is killed with its first step: the plan is so short that there may be no second one for it.
    run_crew(tmp_path, crew_of(mcp=1, rest=1, remote=1, files=1), (4, 3, 1), 0, 120)


@pytest.mark.nightly
def test_fr028_eighteen_agents_finish_two_hundred_steps_although_some_are_killed(tmp_path: Path) -> None:
    run_crew(tmp_path, crew_of(mcp=8, rest=4, remote=4, files=2), (19, 10, 10), 40, 500)


@pytest.mark.nightly
def test_fr027_a_thousand_steps_refuse_few_claims_and_are_shared_evenly(tmp_path: Path) -> None:
    names, steps = crew_of(plain=8), 1000
    source = plan(10, steps // 10, 0).replace("repository: sample\n", "domain: none\n").partition(JOIN)[0]
    with Installation(tmp_path, 1, demo=False) as installation:
        crew = Crew(installation, source, names)
        began = time.monotonic()
        try:
            for name in names:
                crew.start(name)
            told = crew.finish(600)
        finally:
            crew.end()
    refused, seconds = crew.refusals(), round(time.monotonic() - began)
    print(json.dumps({"seconds": seconds, "refused": refused, "shares": told["shares"]}))
    assert not [line for one in crew.workers for line in one.words("broken")]
    assert (len(told["completed"]), set(told["completed"].values())) == (steps, {1})
    assert refused.total() <= 0.05 * steps
    even = steps / len(names)
    assert all(0.7 * even <= share <= 1.3 * even for share in told["shares"].values()), told["shares"]
