"""Held: the attempt that a command speaks of, with the token of its claim."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.client.connection import Connection, ServerRefused
from orchestrator.client.login import Misconfigured


@dataclass(frozen=True)
class HeldStep:
    """An attempt that the caller holds, of the `task` with this `key`."""

    attempt: int
    token: int
    task: int
    key: str

    def with_token(self, **body: object) -> dict[str, object]:
        return {"token": self.token, **body}


def held_attempt(connection: Connection, attempt: int = 0) -> HeldStep:
    """The attempt that the caller holds; `attempt` says which where there are several.

    The server is asked each time, so that an agent that forgot its token goes on. Raises `Misconfigured` when
    the caller holds none, or several and names none of them.
    """
    items = connection.get("mine")["items"]
    found = [item for item in items if attempt in (0, item["attempt"])]
    if len(found) == 1:
        item = found[0]
        return HeldStep(item["attempt"], item["token"], item["task"], item["key"])
    if not items:
        raise Misconfigured("You hold no step. Take one: orchestrator next")
    listed = ", ".join(f"{item['attempt']} ({item['key']} of {item['workstream']})" for item in items)
    raise Misconfigured(f"Say which one with --attempt: you hold {listed}.")


def send(connection: Connection, held: HeldStep, act: str, body: dict[str, object]) -> dict[str, Any]:
    """Say a word of a held step. What a program printed of its usage may be wrong: where that alone is
    refused, the word goes without it, so that no work is lost for it."""
    address = f"attempts/{held.attempt}/{act}"
    try:
        facts: dict[str, Any] = connection.post(address, held.with_token(**body))
    except ServerRefused as refusal:
        if "usage" not in body or not refusal.field.startswith("usage"):
            raise
        print(f"{held.key}: {refusal.message} It is left out.", flush=True)
        rest = {name: value for name, value in body.items() if name != "usage"}
        facts = connection.post(address, held.with_token(**rest))
    return facts


def take_next(connection: Connection, wanted: dict[str, object], wait: int) -> dict[str, Any]:
    """The answer of `next`, with the place of the claim in its brief: a call with an idempotency key is
    answered before the place is made, so that is asked for once more."""
    facts: dict[str, Any] = connection.post("next", {**wanted, "wait": wait}, patience=wait)
    claim = facts["claim"]
    place = claim["brief"].get("place") if claim else None
    if place and place.get("repository") and place.get("state") is None and not place.get("start"):
        address = f"attempts/{claim['attempt']['id']}/place"
        with suppress(ServerRefused):  # it could not be made; the brief says so
            claim["brief"]["place"] = connection.post(address, {"token": claim["token"]})
    return facts
