"""Which steps wait for which: names in the text resolved to keys, and whether position or needs give the
order.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.prose.references import (
    Reference,
    only_references,
    references_in,
    said_in,
    says_none,
)
from orchestrator.core.plans.reading.items import Item, key_of

MOST_NEEDS: Final = 20_000
#: A word with a sign or number inside, such as `set-up` or `db_1`, is the name of something.
_NAME_LIKE: Final = re.compile(r"(?=[^\s]*[A-Za-z])[A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)+|[A-Za-z]+\d+")
#: What stands between the one that waits and the phrase: `2 and 3 can run in parallel`, `Task 2 only`.
_MAY: Final = re.compile(
    r"(?:[ \t]*\b(?:can|may|must|should|will|shall|only|also|both|then|run|runs|start|starts|begin|begins|go"
    r"|happen|proceed|be|done|started|built|in parallel|together|side by side|concurrently)\b)+[ \t]*\Z",
    re.IGNORECASE,
)
#: The address in `[Task 1](#task-1)`.
_LINKED: Final = re.compile(r"\]\([^()\s]{1,300}\)")
_GROUPED: Final = frozenset(
    {"phase", "stage", "milestone", "sprint", "week", "wave", "part", "batch", "story"}
)


@dataclass(slots=True)
class ListedStep:
    """A step before its place in the plan is known. `names` are what the text calls it; `gate` that a
    person decides, `aliases` more titles, `by_id` that its source names by id what it waits for.
    """

    item: Item
    names: tuple[str, ...]
    stage: int
    waits: list[tuple[str, int, bool]] = field(default_factory=list)
    independent: bool = False
    gate: bool = False
    aliases: tuple[str, ...] = ()
    by_id: bool = False

    @property
    def states_needs(self) -> bool:
        return self.independent or any(not spoken for _, _, spoken in self.waits)


class StepNames:
    """Finds the keys that a name in the text stands for."""

    def __init__(self, steps: Sequence[ListedStep], groups: Iterable[tuple[str, str, int]]) -> None:
        self.near: dict[tuple[int, str], str] = {}
        self.far: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        #: The keys below a number: 1.1 and 1.2 of `1`.
        self.below: dict[str, list[str]] = defaultdict(list)
        self.in_stage: dict[int, list[str]] = defaultdict(list)
        for step in steps:
            self.in_stage[step.stage].append(step.item.key)
            self.far.setdefault(step.item.key.lower(), step.item.key)
            for title in (step.item.title, *step.aliases):
                self.titles.setdefault(title.lower(), step.item.key)
            for name in step.names:
                self._into_groups(name.lower(), step.item.key)
                self.near.setdefault((step.stage, name.lower()), step.item.key)
                self.far.setdefault(name.lower(), step.item.key)
        self.groups = {(noun, name.lower()): stage for noun, name, stage in reversed(list(groups))}

    def find(self, reference: Reference, stage: int) -> tuple[str, ...]:
        """The keys; several for a group of steps, none when nothing has the name."""
        if reference.noun in _GROUPED:
            place = self.groups.get((reference.noun, reference.name.lower()))
            return tuple(self.in_stage[place]) if place is not None and place != stage else ()
        name = reference.name.lower()
        key = self.near.get((stage, name)) or self.far.get(name)
        return (key,) if key else tuple(self.below.get(name, ()))

    def _into_groups(self, name: str, key: str) -> None:
        while "." in name:
            name = name.rpartition(".")[0]
            self.below[name].append(key)

    def has(self, reference: Reference, stage: int) -> bool:
        """Whether a name means something; a group means nothing new for its own steps."""
        if reference.noun in _GROUPED:
            return (reference.noun, reference.name.lower()) in self.groups
        return bool(self.find(reference, stage))

    def by_name(self, text: str, stage: int) -> str:
        """The key of the step that is called exactly so; empty when none is."""
        text = text.strip(" `\"'")
        for name in (text.lower(), key_of(text).lower()):
            if key := self.near.get((stage, name)) or self.far.get(name):
                return key
        return ""

    def by_title(self, text: str) -> str:
        return self.titles.get(" ".join(text.strip(" `\"'“”*.").split()).lower(), "")


def resolve(steps: Sequence[ListedStep], names: StepNames, findings: Findings) -> None:
    """Turn what the steps wait for into needs.

    A name that no step has stays a need, which keeps open work from being approved (AD-1); what may be no
    name at all stays in the text, and is told.
    """
    total = 0
    for step in steps:
        for value, line, spoken in step.waits:
            for part in [value] if spoken else _parts_of(value):
                if says_none(part):
                    continue
                keys = _named(step, _LINKED.sub("]", part), line, names, findings, spoken=spoken)
                fresh = [key for key in dict.fromkeys(keys) if key not in step.item.needs]
                if line > step.item.line:
                    step.item.need_lines |= dict.fromkeys(fresh, line)
                total += len(fresh)
                step.item.needs += fresh
            if total > MOST_NEEDS:
                message = "There are too many dependencies to read all of them."
                findings.add("unreadable-value", line, message, "Split the plan.")
                return


def _named(
    step: ListedStep, part: str, line: int, names: StepNames, findings: Findings, *, spoken: bool
) -> list[str]:
    """The keys that a text about dependencies names; what is left over is told. A sentence may name
    something else than steps, so there only a text of nothing but names is sure."""
    keys, names_itself = _keys_but_own(step, part, names, spoken=spoken)
    if names_itself:
        _tell_itself(step, part, line, findings)
    if spoken and not (keys and only_references(part)):
        return keys
    unknown = _unknown_in(part, step, names, keys)
    if spoken:
        if unknown:
            _tell_unknown(step, ", ".join(unknown), line, findings)
        return keys
    if not keys and not unknown and not names_itself:
        _tell_unknown(step, part, line, findings)
    return [*keys, *unknown]


def _keys_but_own(step: ListedStep, part: str, names: StepNames, *, spoken: bool) -> tuple[list[str], bool]:
    """The keys that a text names, and whether it names the step itself, or a group that the step is in."""
    if title := names.by_title(part) or ("" if spoken else names.by_name(part, step.stage)):
        return ([], True) if title == step.item.key else ([title], False)
    keys: list[str] = []
    names_itself = False
    for reference in references_in(part, sure=spoken and not only_references(part)):
        meant = names.find(reference, step.stage)
        if step.item.key in meant:
            names_itself = True
        else:
            keys += meant
    return keys, names_itself


def _tell_itself(step: ListedStep, value: str, line: int, findings: Findings) -> None:
    step.item.details.append(f"Depends on: {value}")
    message = f"“{value[:60]}” names {step.item.key} itself, which cannot wait for itself."
    findings.add("unreadable-value", line, message, "Take it out, or name the step that is meant.")


def _parts_of(value: str) -> list[str]:
    """A list of dependencies in its parts; one that only names steps stays whole, so that nouns count on."""
    return [value] if only_references(value) else [part.strip() for part in value.split(",") if part.strip()]


def _unknown_in(value: str, step: ListedStep, names: StepNames, known: Sequence[str]) -> list[str]:
    """The keys for what a stated dependency surely names and no step is called."""
    if says_none(value) or names.by_title(value) or names.by_name(value, step.stage):
        return []
    if only_references(value):
        written = references_in(value, sure=False, ends=True)
        missing = [one for one in written if not names.has(one, step.stage)]
        return [key_of(f"{one.noun}-{one.name}" if one.noun in _GROUPED else one.name) for one in missing]
    is_name = step.by_id or (_NAME_LIKE.fullmatch(value.strip(" `")) is not None)
    return [key] if is_name and not known and (key := key_of(value)) else []


def _tell_unknown(step: ListedStep, value: str, line: int, findings: Findings) -> None:
    step.item.details.append(f"Depends on: {value}")
    message = f"“{value[:60]}” names no step of the plan, so {step.item.key} does not wait for it."
    findings.add("unreadable-value", line, message, "Name a step by its number, key or title.")


def keys_in(value: str, stage: int, names: StepNames, *, spoken: bool) -> list[str]:
    """The keys that a text about dependencies names. Spoken in a sentence, a bare number is no name."""
    if says_none(value):
        return []
    if key := names.by_title(value) or ("" if spoken else names.by_name(value, stage)):
        return [key]
    keys: list[str] = []
    for reference in references_in(value, sure=spoken and not only_references(value)):
        keys += names.find(reference, stage)
    return keys


def relate(sentences: Iterable[str], steps: Sequence[ListedStep], names: StepNames) -> None:
    """`Task 3 depends on Task 1` in the text between the steps."""
    by_key = {step.item.key: step for step in steps}
    for text in sentences:
        said = said_in(text)
        for before, after in _pairs(text, said):
            if not only_references(before):
                continue
            waiting = keys_in(before, -1, names, spoken=False)
            for key in waiting:
                by_key[key].waits.append((after, by_key[key].item.line, True))


def _pairs(text: str, said: tuple[str, list[str]] | None) -> list[tuple[str, str]]:
    """The one that waits, and what it waits for; in `A → B` the second waits for the first."""
    arrow = text.replace("-->", "→").replace("->", "→").strip("-*• \t")
    if "→" in arrow and len(arrow) < 300:
        parts = [part.strip() for part in arrow.split("→")]
        return [(later, earlier) for earlier, later in pairwise(parts)]
    if said is None:
        return []
    before = _MAY.sub("", said[0]).strip("-*•:, \t")
    return [(before, value) for value in said[1]]


def in_order(steps: list[ListedStep], findings: Findings) -> list[ListedStep]:
    """Steps of one group in the order of the text, but none before what it needs of the same group."""
    own = {step.item.key for step in steps}
    place = {step.item.key: number for number, step in enumerate(steps)}
    if all(place[need] < place[step.item.key] for step in steps for need in step.item.needs if need in own):
        return steps
    ordered = _sorted(steps, place)
    if len(ordered) < len(steps):
        return steps
    moved = next(new for new, old in zip(ordered, steps, strict=True) if new is not old)
    message = (
        f"The text says what waits for what, so {moved.item.key} stands in front of what is written "
        f"before it."
    )
    findings.add(
        "inferred-needs", moved.item.line, message, "Write the steps in the order in which they are done."
    )
    return ordered


def _sorted(steps: list[ListedStep], place: dict[str, int]) -> list[ListedStep]:
    """As early as each may stand; steps in a circle are left out."""
    after: dict[str, list[int]] = defaultdict(list)
    waiting = [0] * len(steps)
    for number, step in enumerate(steps):
        needs = {need for need in step.item.needs if need in place}
        waiting[number] = len(needs)
        for need in needs:
            after[need].append(number)
    ready = [number for number, count in enumerate(waiting) if not count]
    ordered: list[ListedStep] = []
    while ready:
        step = steps[heappop(ready)]
        ordered.append(step)
        for later in after[step.item.key]:
            waiting[later] -= 1
            if not waiting[later]:
                heappush(ready, later)
    return ordered
