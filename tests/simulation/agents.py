"""Agents of a simulation: they look for work, do it, fail, ask, give back, forget, and die."""

from collections.abc import Generator
from random import Random
from typing import Any

from tests.machines import Machine
from tests.simulation.clock import Life
from tests.simulation.network import Network

Calls = Generator[float, Any, Any]
#: So often the time until the next look for work doubles.
IN_VAIN = 3


class Agent:
    """One machine with a token. What it knows of its claim is in memory, and lost when it is started anew."""

    def __init__(self, name: str, machine: Machine, network: Network, random: Random) -> None:
        self.name, self.machine, self.network, self.random = name, machine, network, random
        self.reliable = False
        #: It was started anew, or a claim stayed without an answer: perhaps it holds something.
        self.unsure = True

    def life(self) -> Life:
        """It looks for work again and again; the longer there is none, the later."""
        in_vain = 0
        while True:
            yield self.random.uniform(5, 90) * 2**in_vain
            held = yield from self._work_to_do()
            in_vain = 0 if held else min(in_vain + 1, IN_VAIN)
            if held:
                yield from self._do(*held)

    def _work_to_do(self) -> Calls:
        """Attempt, token, criteria: of what it holds already, of `next`, or of a list that may be old."""
        if self.unsure:
            mine = yield from self._get("/api/mine")
            if mine and mine["items"]:
                one = mine["items"][0]
                brief = yield from self._get(f"/api/tasks/{one['task']}/brief")
                return (one["attempt"], one["token"], brief["criteria"]) if brief else None
            self.unsure = mine is None
        if self.random.random() < 0.6:
            claim = (yield from self._post("/api/next", {})) or {}
            return _held(claim.get("claim"))
        listed = yield from self._get("/api/tasks/?claimable=true")
        if not listed or not listed["items"]:
            return None
        yield self.random.uniform(0, 30)
        chosen = self.random.choice(listed["items"])["attempt"]["id"]
        return _held((yield from self._post(f"/api/attempts/{chosen}/claim")))

    def _do(self, attempt: int, token: int, criteria: list[dict[str, Any]]) -> Calls:
        at = f"/api/attempts/{attempt}"
        self.unsure = True
        yield self.random.uniform(5, 240)
        what = 1.0 if self.reliable else self.random.random()
        if what < 0.05:  # dies, and is started again much later, or forgets what it did
            yield self.random.uniform(60, 3000)
            return
        if what < 0.12:
            yield from self._post(f"{at}/fail", {"token": token, "error": "It broke."})
            return
        if what < 0.16:
            yield from self._post(f"{at}/release", {"token": token, "breadcrumb": "Half of it is there."})
            return
        if what < 0.5:
            yield from self._post(f"{at}/report", {"token": token, "breadcrumb": "Half of it is there."})
            yield self.random.uniform(5, 120)
        proof = {str(one["id"]): f"Seen by {self.name}." for one in criteria if one["asked"]}
        done = {"token": token, "outcome": f"Done by {self.name}.", "evidence": proof}
        yield from self._post(f"{at}/complete", done | {"outputs": {"notes.md": f"By {self.name}.\n"}})

    def _get(self, address: str) -> Calls:
        answer = yield from self.network.call(self.machine, "GET", address)
        return answer[1] if answer and answer[0] == 200 else None

    def _post(self, address: str, body: Any = None) -> Calls:
        answer = yield from self.network.call(self.machine, "POST", address, body)
        self.unsure = self.unsure or answer is None
        return answer[1] if answer and answer[0] == 200 else None


def _held(claim: Any) -> tuple[int, int, list[dict[str, Any]]] | None:
    return (claim["attempt"]["id"], claim["token"], claim["criteria"]) if claim else None
