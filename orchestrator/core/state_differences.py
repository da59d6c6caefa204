"""What the tables say otherwise than history (FR-009)."""

from dataclasses import fields
from typing import Any

from orchestrator.core.replay import State


def differences(rebuilt: State, stored: State) -> list[str]:
    """A sentence for everything in which the tables differ from what history says, in order of keys."""
    said = _differing(rebuilt, stored, "the workstream", skip=("tasks", "dropped"))
    for name in ("tasks", "dropped"):
        there, here = getattr(rebuilt, name), getattr(stored, name)
        gone, new = there.keys() - here.keys(), here.keys() - there.keys()
        said += [f"{key}: history has this task, the tables do not" for key in sorted(gone)]
        said += [f"{key}: the tables have this task, history does not" for key in sorted(new)]
        for key in sorted(there.keys() & here.keys()):
            said += _differing(there[key], here[key], key)
    return said


def _differing(rebuilt: Any, stored: Any, what: str, skip: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{what}: {name.name} is {_shown(here)} in the tables, {_shown(there)} by history"
        for name in fields(rebuilt)
        if name.name not in skip
        and (there := getattr(rebuilt, name.name)) != (here := getattr(stored, name.name))
    ]


def _shown(value: object) -> str:
    return repr(sorted(value)) if isinstance(value, set | frozenset) else repr(value)
