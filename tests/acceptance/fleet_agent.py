"""An agent that knows several web servers of one installation, and goes to the next one where one is gone.

`python -m tests.acceptance.fleet_agent NAME URL…` with TOKEN in the environment prints `claimed KEY`,
`done KEY`, `refused WORD`, `moved` and `broken WHAT`, and works on whatever there is until it is ended. It
remembers nothing of a call whose answer it lost: it asks for work again, and gets what it holds.
"""

import itertools
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx

from tests.acceptance.crew import Refused, completion, say

WAIT = 5


class FleetAgent:
    def __init__(self, addresses: Sequence[str], token: str) -> None:
        self.addresses = itertools.cycle(addresses)
        self.client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self.address = next(self.addresses)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"{self.address}/api/{path}", json=body)
        told: dict[str, Any] = answer.json()
        if answer.status_code >= 500 and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            say(f"broken {path} {answer.text}")
        if answer.status_code >= 400:
            raise Refused(told["code"])
        return told

    def run(self) -> None:
        while True:
            try:
                self.turn()
            except Refused as refused:
                say(f"refused {refused}")
                time.sleep(0.2)
            except httpx.TransportError:
                self.address = next(self.addresses)
                say(f"moved {self.address}")
                time.sleep(0.2)

    def turn(self) -> None:
        claim = self.call("next", {"wait": WAIT})["claim"]
        if claim is None:
            return
        step = f"{claim['attempt']['id']}:{claim['attempt']['key']}"
        say(f"claimed {step}")
        self.call(f"attempts/{claim['attempt']['id']}/complete", completion(claim, ""))
        say(f"done {step}")


if __name__ == "__main__":
    FleetAgent(sys.argv[2:], os.environ["TOKEN"]).run()
