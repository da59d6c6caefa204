"""The queue of a simulation: messages get lost, doubled, late and out of order, and workers die."""

from collections.abc import Callable
from typing import Any

from orchestrator.processes import tasks
from tests.model.invariants import Writes
from tests.model.workspaces import Killed
from tests.simulation.clock import Clock
from tests.simulation.disturbances import REACH, Disturbances, cut_off_at, dying_at

#: Minutes between two sweeps, which find what lost messages left; and as often as nothing was written between
#: two the time until the next one doubles.
SWEEP = 30.0
IN_VAIN = 3


class SimulatedQueue:
    """Takes the place of django-q2's `async_task`; the tasks that it runs are the product's own."""

    def __init__(self, clock: Clock, disturbances: Disturbances, writes: Writes) -> None:
        self.clock, self.disturbances, self.writes = clock, disturbances, writes
        self.written, self.in_vain = -1, 0

    def async_task(self, name: str, *arguments: Any) -> None:
        """A message about a workstream; what is about the whole workspace comes with the sweep here."""
        if not name.endswith("tasks.advance"):
            return
        go_wrong = self.disturbances
        if go_wrong.happens("message lost", 0.08):
            return
        late = 120.0 if go_wrong.happens("message late", 0.1) else 0.5
        for _ in range(2 if go_wrong.happens("message doubled", 0.1) else 1):
            self.clock.after(
                go_wrong.random.uniform(0, late), lambda: self.work(lambda: tasks.advance(*arguments))
            )

    def sweep(self) -> None:
        """Its part for workstreams; then the next one is due, whatever became of this one."""
        written, self.written = self.written, self.writes.count
        self.in_vain = min(self.in_vain + 1, IN_VAIN) if written == self.written else 0
        self.clock.after(SWEEP * 2**self.in_vain, self.sweep)
        for number in tasks.workstreams_to_sweep():
            self.work(lambda number=number: self._afresh(number))

    def work(self, message: Callable[[], None]) -> None:
        """A worker takes a message: it may die at any statement, and the message is then gone.

        Trouble that the product tells is raised to the queue, which keeps it on record: so here it ends."""
        go_wrong = self.disturbances
        try:
            if go_wrong.happens("worker killed", 0.08):
                with dying_at(go_wrong.random.randint(1, REACH)):
                    message()
            elif go_wrong.happens("worker without database", 0.03):
                with cut_off_at(go_wrong.random.randint(1, REACH)):
                    message()
            else:
                message()
        except Killed:
            pass
        except Exception:
            if go_wrong.over:
                raise
            go_wrong.counted["message ended in trouble"] += 1

    def _afresh(self, number: int) -> None:
        tasks.begun(number)
        tasks.service.advance(workstream_id=number, clock=tasks.timezone.now, afresh=True)
