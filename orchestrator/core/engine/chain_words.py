"""A chain to what holds work in the end, as one sentence (FR-015)."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from orchestrator.core.engine.explain import TO_DO, lasting
from orchestrator.core.engine.together import first_of
from orchestrator.core.terms import RootKind

#: So many are named of what else is in the way; the others are counted.
NAMED: Final = 3


def whole_chain(said: str, age: timedelta | None, waiting: int, to_do: str, also: Sequence[str] = ()) -> str:
    """A chain as one sentence: how long its root stands, what waits behind it, what frees it, and what is
    `also` in the way."""
    parts = [said if age is None else f"{said}, for {lasting(age)}"]
    if waiting:
        parts.append(f"{waiting} task{' waits' if waiting == 1 else 's wait'} behind it")
    parts += [to_do] if to_do else []
    if also:
        parts.append(f"{first_of(also, NAMED)} {'needs' if len(also) == 1 else 'need'} somebody as well")
    return f"{'; '.join(parts)}."


def the_workstream(slug: str) -> str:
    return f"the workstream {slug}"


def sign_after_deciding(suspects: Sequence[str], deciders: Collection[str]) -> str:
    """What frees a pre-handoff review that cannot be signed yet: these may be the same work, which `deciders`
    say or deny before (AS-5)."""
    noun = f"suspected duplicate{'' if len(suspects) == 1 else 's'}"
    who = " or ".join(sorted(deciders))
    named = first_of(suspects, NAMED)
    return f"decide first about the {noun} {named} ({who}), then {TO_DO[RootKind.PREHANDOFF]}"
