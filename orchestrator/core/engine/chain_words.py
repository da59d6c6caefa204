"""A chain to what holds work in the end, as one sentence (FR-015)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from orchestrator.core.engine.explain import lasting
from orchestrator.core.engine.together import together

#: Longer chains are named with their first and last stations only.
_STATIONS: Final = 6


def chain_of(names: Sequence[str], stands: str, beside: Sequence[str] = ()) -> str:
    """`E1 waits for MP1, which waits for B1: it asks: half-up or half-even?`; `beside` is what the first one
    waits for as well: `D1 waits for B2 + C2; B2 waits for A1: …`."""
    first, *others = names
    if others and beside:
        rest = chain_of(others, stands)
        return f"{first} waits for {together([others[0], *beside])}; {rest}"
    if len(others) >= _STATIONS:
        left_out = len(others) - 3
        others = [*others[:2], f"{left_out} more, of which the last waits for {others[-1]}"]
    way = f"{first} waits for {others[0]}" if others else first
    return f"{way}{''.join(f', which waits for {name}' for name in others[1:])}: {stands}"


def whole_chain(said: str, age: timedelta | None, waiting: int, to_do: str, also: Sequence[str] = ()) -> str:
    """A chain as one sentence: how long its root stands, what waits behind it, what frees it, and what is
    `also` in the way."""
    parts = [said if age is None else f"{said}, for {lasting(age)}"]
    if waiting:
        parts.append(f"{waiting} task{' waits' if waiting == 1 else 's wait'} behind it")
    parts += [to_do] if to_do else []
    if also:
        names = ", ".join(also[:3]) + (f" and {len(also) - 3} more" if len(also) > 3 else "")
        parts.append(f"{names} {'needs' if len(also) == 1 else 'need'} somebody as well")
    return f"{'; '.join(parts)}."


def the_workstream(slug: str) -> str:
    return f"the workstream {slug}"
