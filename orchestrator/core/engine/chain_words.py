"""A chain to what holds work in the end, as one sentence (FR-015)."""

from collections.abc import Sequence
from datetime import timedelta

from orchestrator.core.engine.explain import lasting


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
