"""Usage: what an agent's output says of tokens, money and models, by its description (FR-013).

Whatever is not there, or is no number, is left out: a run counts whether or not it says what it used.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from orchestrator.client.login import Misconfigured

#: What a description can say where to find, and the member of it that is no number.
COST, MODEL = "cost_usd", "model"
COUNTED: Final = ("tokens_in", "tokens_out", COST, MODEL)
#: The most that the server takes of each, and characters of a model's name.
MOST: Final = {"tokens_in": 10**15, "tokens_out": 10**15, COST: 10**9 - 1}
MODEL_LENGTH: Final = 100
#: In a path: whatever stands there, each of them.
EVERY: Final = "*"
_THOUSANDS: Final = {"k": 1_000, "M": 1_000_000}
_AMOUNT: Final = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)([kM]?)")

Places = Mapping[str, tuple[str, ...]]


def read_places(agent: str, table: object, *, in_text: bool) -> Places:
    """Where each is found: one place, or several whose numbers are added. Raises `Misconfigured`."""
    if not isinstance(table, Mapping) or not set(table) <= set(COUNTED):
        raise Misconfigured(f"usage of the agent {agent} says where {', '.join(COUNTED)} stand.")
    places = {name: (value,) if isinstance(value, str) else value for name, value in table.items()}
    for name, several in places.items():
        if not isinstance(several, list | tuple) or not all(isinstance(one, str) for one in several):
            raise Misconfigured(f"{name} in usage of the agent {agent} is a text or a list of texts.")
        for one in several if in_text else ():
            _check_expression(agent, name, one)
    return {name: tuple(several) for name, several in places.items()}


def used_in_objects(places: Places, found: Iterable[object]) -> dict[str, Any]:
    """What JSON objects say, summed; the models that any of them names."""
    told: dict[str, list[object]] = {name: [] for name in places}
    for one in found:
        for name, paths in places.items():
            told[name] += [value for path in paths for value in at(one, path)]
    return _added(told)


def used_in_text(places: Places, text: str) -> dict[str, Any]:
    """What expressions find in a text, such as `2.3k` or `1,204`, summed."""
    told: dict[str, list[object]] = {}
    for name, expressions in places.items():
        words = [word for one in expressions for word in re.findall(one, text)]
        told[name] = list(words) if name == MODEL else [_amount(word) for word in words]
    return _added(told)


def at(found: object, path: str) -> Iterator[object]:
    """What stands at a path in JSON; nothing where it leads nowhere."""
    name, _, rest = path.partition(".")
    if not isinstance(found, Mapping):
        return
    for value in found.values() if name == EVERY else (found.get(name),):
        if rest:
            yield from at(value, rest)
        elif value is not None:
            yield value


def objects_in(output: str) -> Iterator[object]:
    """The JSON objects that begin a line of an output, beside whatever else is printed; one that begins
    within a line where none begins any."""
    starts = [match.start() for match in re.finditer(r"^\{", output, re.MULTILINE)] or [output.find("{")]
    end = 0
    for start in starts:
        if start < end:
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(output, start)
        except (ValueError, RecursionError, IndexError):
            continue
        yield value


def objects_of_lines(lines: Iterable[str]) -> Iterator[object]:
    """The JSON of those lines that have some."""
    for line in lines:
        if line.lstrip().startswith("{"):
            yield from objects_in(line.lstrip())


def _check_expression(agent: str, name: str, expression: str) -> None:
    try:
        groups = re.compile(expression).groups
    except re.error as problem:
        raise Misconfigured(f"{name} in usage of the agent {agent} is no expression: {problem}.") from problem
    if groups != 1:
        raise Misconfigured(
            f"{name} in usage of the agent {agent} has one group, which is the number or name."
        )


def _added(told: Mapping[str, list[object]]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for name, values in told.items():
        if name == MODEL:
            sums[name] = ", ".join(dict.fromkeys(_names(values)))[:MODEL_LENGTH]
            continue
        total = sum(_number(value) for value in values)
        sums[name] = total if total <= MOST[name] else 0
    return {name: value for name, value in sums.items() if value}


def _names(values: Iterable[object]) -> Iterator[str]:
    """A name, or the keys of an object that has something of each model."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from value


def _number(value: object) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0
    return value if math.isfinite(value) and value > 0 else 0


def _amount(word: str) -> float:
    found = _AMOUNT.fullmatch(word)
    if found is None:
        return 0
    return float(found[1].replace(",", "")) * _THOUSANDS.get(found[2], 1)


def summed(used: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several runs used together, in the form of one."""
    total: dict[str, Any] = {}
    for one in used:
        for name in ("seconds", "tokens_in", "tokens_out"):
            total[name] = total.get(name, 0) + int(one.get(name, 0))
        if cost := Decimal(one.get("cost", "0")):
            total["cost"], total["currency"] = str(Decimal(total.get("cost", "0")) + cost), one["currency"]
        if one.get("model"):
            total["model"] = one["model"]
    return total
