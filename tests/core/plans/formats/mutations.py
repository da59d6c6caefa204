"""Small damages to a text, as hands, merges and other tools do them; the same seed gives the same damage."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

PIECES = ["", " ", "\n", "\t", "- [ ] ", "- ", "#", "###", "---\n", "{", "}", "[", "]", '"', ",", ":"]
PIECES += [
    "null",
    "1e999",
    "NaN",
    "9" * 20,
    "\\ud800",
    "\\u0000",
    "\u202e",
    "é",
    "追",
    "T001",
    "depends on",
    "→",
]
PIECES += ["```\n", "<!--", "-->"]


def mutated(text: str, chance: random.Random) -> str:
    """The text after one to eight cuts, repeats, swaps and insertions."""
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 1, 5, 40]))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:end] + text[start:end] * chance.randint(1, 3) + text[end:]
        elif kind == 2:
            other = chance.randrange(len(text) + 1)
            text = text[:start] + text[other : other + 20] + text[end:]
        else:
            text = text[:start] + chance.choice(PIECES) * chance.choice([1, 1, 1, 50]) + text[end:]
    return text


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**53 + 1,
    1.5,
    "",
    "x",
    "\ud800",
    "\0",
    [],
    {},
    [[]],
    [None],
    {"id": 1},
]
VALUES += ["追", "a\nb", "A1", ["A1"], 1e308, "-", "../../etc", "`", "{{name}}", "*alias", "x" * 400]


def mutated_json(text: str, chance: random.Random) -> str:
    """The text after one to four changes of JSON values; as it is when it is no JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    for _ in range(chance.randint(1, 4)):
        holders = list(_holders(value))
        holder = chance.choice(holders) if holders else None
        if isinstance(holder, dict) and holder:
            name = chance.choice(list(holder))
            kind = chance.randrange(3)
            if kind == 0:
                del holder[name]
            else:
                holder[name if kind == 1 else chance.choice(["id", "x", "needs", "tasks"])] = deepcopy(
                    chance.choice(VALUES)
                )
        elif isinstance(holder, list) and holder:
            place = chance.randrange(len(holder))
            holder[place : place + chance.randint(0, 1)] = [
                deepcopy(chance.choice([*VALUES, *holder])) for _ in range(chance.randint(0, 3))
            ]
    return json.dumps(value, indent=chance.choice([None, 2]), ensure_ascii=False)


def _holders(value: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(value, dict | list) and depth < 40:
        yield value
        for item in list(value.values()) if isinstance(value, dict) else value:
            yield from _holders(item, depth + 1)
