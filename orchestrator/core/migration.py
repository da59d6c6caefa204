"""What a new version means for work in flight: an explicit mapping by step key (FR-016, EC-4)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """What a step asks for; work that was started keeps it. `started` says that an attempt or a result exists."""

    facts: tuple[str, ...]
    started: bool = False


@dataclass(frozen=True, slots=True)
class StepMapping:
    """Keys that stay, are new, or are dropped; `refused` are started steps that the new version loses or changes."""

    kept: tuple[str, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    refused: tuple[str, ...]


def map_steps(old: Mapping[str, Definition], new: Mapping[str, Definition]) -> StepMapping:
    """Identity for what did not change; started work is neither dropped nor redefined."""
    refused = [k for k, d in old.items() if d.started and (k not in new or new[k].facts != d.facts)]
    return StepMapping(
        kept=tuple(k for k in old if k in new),
        added=tuple(k for k in new if k not in old),
        dropped=tuple(k for k in old if k not in new),
        refused=tuple(refused),
    )
