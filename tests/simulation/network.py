"""The way from a machine to the server: calls and answers are lost, doubled and late, the server dies."""

from collections.abc import Callable, Generator
from itertools import count
from typing import Any

from tests.machines import Machine
from tests.model.workspaces import Killed
from tests.simulation.clock import Clock
from tests.simulation.disturbances import REACH, Disturbances, cut_off_at, dying_at

Answer = tuple[int, Any]
#: After so many tries in vain a client gives the call up and goes on without an answer.
TRIES = 4


class Network:
    """REST over a bad network: a call that stays without an answer is sent again with its key."""

    def __init__(
        self, clock: Clock, disturbances: Disturbances, heard: Callable[[str, Any], None], run: int
    ) -> None:
        self.clock, self.disturbances, self.heard, self.run = clock, disturbances, heard, run
        self.numbers = count(1)

    def call(
        self, machine: Machine, method: str, address: str, body: Any = None
    ) -> Generator[float, Any, Answer | None]:
        """The answer, or None where none came in the end. `heard` is told what a client heard."""
        key = f"call-{self.run}-{next(self.numbers)}" if method != "GET" else ""
        for _ in range(TRIES):
            yield self.disturbances.random.uniform(0.01, 2)
            answer = self._once(lambda: machine.call(method, address, body, key))
            if answer is not None and answer[0] != 503:
                assert answer[0] < 500, f"{method} {address} answered {answer}"
                self.heard(address, answer)
                return answer
            yield 1
        return None

    def _once(self, send: Callable[[], Answer]) -> Answer | None:
        go_wrong = self.disturbances
        if go_wrong.happens("call lost", 0.04):
            return None
        if go_wrong.happens("call doubled, the second late", 0.05):
            self.clock.after(go_wrong.random.uniform(0, 240), lambda: self._late(send))
        if go_wrong.happens("server killed", 0.05):
            with dying_at(go_wrong.random.randint(1, REACH)):
                return self._unless_killed(send)
        if go_wrong.happens("server without database", 0.03):
            with cut_off_at(go_wrong.random.randint(1, REACH)):
                return send()
        answer = send()
        return None if go_wrong.happens("answer lost", 0.05) else answer

    def _late(self, send: Callable[[], Answer]) -> None:
        status, told = send()
        assert status < 500, told

    @staticmethod
    def _unless_killed(send: Callable[[], Answer]) -> Answer | None:
        try:
            return send()
        except Killed:
            return None
