"""FR-028, AD-7, DC-6: several web servers and queue clusters beside one database share the work of one
installation; killed in between, they lose nothing and do nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import ROOT, Installation, free_port, wait_for
from tests.acceptance.test_fr028_crew import LANES, Worker, people_of, start_worker

pytestmark = [pytest.mark.installation, pytest.mark.nightly]

AGENTS = 16
#: Titles that nobody takes for one another.
TITLES = """
Invoices; Harbour pilots; Quarry survey; Night trains; Beehives; Glass ovens; Ferry tickets; Wind farm
School meals; Archive boxes; Mountain huts; Sewing room; Fish market; Radio mast; Dike repair; Bell tower
Seed bank; Tram depot; Opera costumes; Lighthouse
""".strip().replace("\n", "; ")


def plan(number: int, lanes: int, steps: int) -> str:
    """Lanes beside one another; their steps one after the other."""
    title = TITLES.split("; ")[number - 1]
    lines = ["---", "domain: none", "---", f"# Plan: {title}", "", "## Stages", "", "### Stage 1: All", ""]
    lines += ["##### Batch 01: parts"]
    for lane in range(1, lanes + 1):
        lines += ["", f"###### Thread {lane:02d}: lane {lane}"]
        lines += [f"- {LANES[lane - 1]}{step}: {title}, part {step}" for step in range(1, steps + 1)]
    return "\n".join(lines) + "\n"


class Part:
    """A process beside those of `serve`: another web server, another cluster."""

    def __init__(self, name: str, argv: Sequence[str], installation: Installation) -> None:
        self.name, self.argv, self.installation = name, argv, installation
        self.start()

    def start(self) -> None:
        with (self.installation.folder / "logs" / f"{self.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env=self.installation.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def part(name: str, argv: Sequence[str], installation: Installation) -> Iterator[Part]:
    one = Part(name, argv, installation)
    try:
        yield one
    finally:
        one.kill()


def run_fleet(folder: Path, workstreams: int, lanes: int, steps: int, seconds: float) -> dict[str, Any]:
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(folder, 1, demo=False))
        ports = [installation.port, free_port(), free_port()]
        web = [sys.executable, "-m", "orchestrator.processes.web_server", "127.0.0.1"]
        webs = [
            stack.enter_context(part(f"web-{port}", [*web, str(port)], installation)) for port in ports[1:]
        ]
        cluster = [sys.executable, "manage.py", "qcluster"]
        second = stack.enter_context(part("second-queue", cluster, installation))
        names = [f"agent-{number}" for number in range(1, AGENTS + 1)]
        sources = [plan(number, lanes, steps) for number in range(1, workstreams + 1)]
        told = people_of(installation, "begin_several", *names, send=json.dumps(sources))
        agents: list[Worker] = []
        stack.callback(lambda: [end(one) for one in agents])
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        began = time.monotonic()
        for place, name in enumerate(names):
            near = addresses[place % 3 :] + addresses[: place % 3]
            argv = [sys.executable, "-m", "tests.acceptance.fleet_agent", name, *near]
            agents.append(start_worker("fleet", name, argv, {"TOKEN": told["tokens"][name]}))
        every = workstreams * lanes * steps

        def said() -> str:
            last = "\n".join(f"{one.name}: {one.said[-6:]}" for one in agents)
            return f"{last}\n{installation.said()}"

        def done(share: float) -> bool:
            assert all(one.process.poll() is None for one in agents), said()
            return sum(len(one.words("done")) for one in agents) >= share * every

        for share, kill in (
            (0.15, lambda: installation.kill("queue")),
            (0.3, second.kill),
            (0.45, webs[0].kill),
            (0.6, lambda: installation.kill("web")),
        ):
            wait_for(lambda share=share: done(share), seconds, said)
            kill()
        second.start()
        webs[0].start()
        wait_for(lambda: people_of(installation, "open") == 0 or time.sleep(1), seconds, said)
        took = time.monotonic() - began
        found: dict[str, Any] = people_of(installation, "end_several")
        assert not [line for one in agents for line in one.words("broken")], said()
        moved = sum(len(one.words("moved")) for one in agents)
        assert moved, "the kills of web servers were felt by nobody"
    print(json.dumps({"steps": every, "seconds": round(took, 1), "a second": round(every / took, 1)}))
    return found


def end(worker: Worker) -> None:
    worker.process.kill()
    worker.process.wait()
    if worker.listening is not None:
        worker.listening.join()


def test_fr028_two_clusters_and_three_web_servers_share_the_work_although_they_are_killed(
    tmp_path: Path,
) -> None:
    workstreams, lanes, steps = 20, 10, 10
    found = run_fleet(tmp_path, workstreams, lanes, steps, 1500)
    assert found["breach"] == ""
    assert found["problems"] == []
    assert found["twice"] == []
    assert found["completed"] == workstreams * lanes * steps
    assert found["handovers"] == found["completed"]
