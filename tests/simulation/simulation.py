"""The real services on a simulated clock, queue, workspace and network, in one process (FR-009, F1 to F15).

Everything that chance decides comes from one seed: the same seed is the same history. First there are so many
simulated hours with disturbances everywhere; then these end, and what is left has to come to its end: nothing
that went wrong may have stopped it for good.

Time in which nothing happens costs nothing: the clock leaps to the next event, who finds nothing to do looks
again later and later, and where all work is done the next one begins."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection

from orchestrator.models import HistoryEntry, Workstream
from orchestrator.services import advance
from orchestrator.services.base import history, wake
from orchestrator.services.handoff import damage, publishing
from tests.cast import NOON, Cast, Driver
from tests.machines import Machine
from tests.model.invariants import Writes
from tests.model.workspaces import MemoryWorkspace
from tests.simulation.agents import Agent
from tests.simulation.clock import Clock, Life
from tests.simulation.disturbances import Disturbances
from tests.simulation.network import Network
from tests.simulation.people import Person
from tests.simulation.plans import plan
from tests.simulation.queue import SWEEP, SimulatedQueue
from tests.simulation.watch import Watch

#: So long, in simulated days, everything that is left may take once nothing goes wrong any more.
QUIET_DAYS = 20


@dataclass(frozen=True)
class Outcome:
    """What a simulation did: `hours` of all that went on at a time, and how often what happened."""

    seed: int
    hours: float
    steps: int
    counted: Counter[str]
    #: Statuses of the workstreams at its end, and the words that the history got, in their order.
    ends: Counter[str]
    history: tuple[str, ...]


class Simulation:
    """Workstreams, agents and a person; `run` is the whole of it."""

    def __init__(
        self,
        cast: Cast,
        seed: int,
        patch: pytest.MonkeyPatch,
        *,
        workstreams: int = 3,
        agents: int = 4,
        batches: int = 4,
    ) -> None:
        self.seed, self.random = seed, Random(seed)
        self.clock = Clock(NOON, self.random)
        self.disturbances = Disturbances(self.random)
        self.writes = Writes()
        self.watch = Watch(self.writes)
        self.queue = SimulatedQueue(self.clock, self.disturbances, self.writes)
        self._take_places(patch)
        network = Network(self.clock, self.disturbances, self.watch.heard, HistoryEntry.objects.count())
        machines = [Machine.of(cast.builder(f"agent-{number}")) for number in range(agents)]
        self.agents = [
            Agent(f"agent-{number}", machine, network, self.random) for number, machine in enumerate(machines)
        ]
        self.person = Person(cast, self.clock, self.disturbances, self.random)
        self.cast, self.together, self.batches = cast, workstreams, batches
        self.started = 0
        self._start()
        self.clock.now += timedelta(days=1)
        self.before = HistoryEntry.objects.count()

    def _start(self) -> None:
        """As many workstreams as go on at a time, approved in the hour before now. What is disturbed is work:
        trouble of the workspace that is due waits for that."""
        due = dict(MemoryWorkspace.faults)
        MemoryWorkspace.faults.clear()
        for _ in range(self.together):
            driver = Driver(self.cast, self.clock.now - timedelta(hours=1))
            driver.start_afresh(plan(self.random, self.started, self.batches))
            self.started += 1
        MemoryWorkspace.faults.update(due)

    def _take_places(self, patch: pytest.MonkeyPatch) -> None:
        """The simulated queue and workspace in the place of the real ones."""
        patch.setattr(damage, "Workspace", MemoryWorkspace)
        patch.setattr(publishing, "projected_files", lambda workstream: {})
        patch.setattr(advance, "collect", lambda now: 0)
        patch.setattr(wake, "async_task", self.queue.async_task)
        patch.setattr(history, "async_task", self.queue.async_task)

    def run(self, hours: float) -> Outcome:
        begun, ends = self.clock.now, self.clock.now + timedelta(hours=hours)
        for agent in self.agents:
            self.clock.live(agent.life())
        self.clock.live(self.person.life())
        self.clock.live(self._workspace(), first=30)
        self.clock.after(SWEEP, self.queue.sweep)
        with connection.execute_wrapper(self.writes):
            while self.clock.run(ends, self._looked_and_done):
                self._start()
            self.disturbances.over = True
            MemoryWorkspace.faults.clear()
            for agent in self.agents:
                agent.reliable = True
            self.clock.run(ends + timedelta(days=QUIET_DAYS), self._looked_and_done)
        assert self._done(), f"seed {self.seed}: work was left that nobody can end: {self._left()}"
        self.watch.end()
        return self._outcome(begun)

    def _looked_and_done(self) -> bool:
        """Only what was written since the last look can have ended the work."""
        return self.watch.look() and self._done()

    def _workspace(self) -> Life:
        """The workspace's own trouble: a disk without room, a kill between two of its steps, a lost file."""
        while not self.disturbances.over:
            if self.disturbances.happens("write disturbed", 0.3):
                kind = self.random.choice(["full", "before-blob", "before-files", "before-mark"])
                MemoryWorkspace.faults[1] = kind
            if self.disturbances.happens("file lost", 0.05):
                paths = sorted(path for tree in MemoryWorkspace.trees.values() for path in tree)
                MemoryWorkspace.lose(self.random.choice(paths)) if paths else None
            yield self.random.uniform(10, 300)

    @staticmethod
    def _done() -> bool:
        return not Workstream.objects.exclude(status="completed").exists()

    @staticmethod
    def _left() -> list[str]:
        left = Workstream.objects.exclude(status="completed")
        return [
            f"{one.slug}: "
            + ", ".join(f"{task.step.key} {task.status}" for task in one.tasks.select_related("step"))
            for one in left
        ]

    def _outcome(self, begun: datetime) -> Outcome:
        hours = (self.clock.now - begun).total_seconds() / 3600 * self.together
        ends = Counter(Workstream.objects.values_list("status", flat=True))
        done = sum(Workstream.objects.values_list("done_tasks", flat=True))
        entries = HistoryEntry.objects.order_by("sequence")[self.before :]
        return Outcome(
            self.seed,
            hours,
            done,
            self.disturbances.counted,
            ends,
            tuple(entries.values_list("action", flat=True)),
        )
