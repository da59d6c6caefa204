"""What spec-kit's tasks wait for: what each states itself, and what the prose says of tasks and stories.

What a task states itself is a dependency (AD-1): a name that no task has, and a circle, keep the plan from
being approved. What only the prose says holds where it points backwards.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.plans.circles import circles
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.spec_kit_ids import ids_in, inside_ranges
from orchestrator.core.plans.prose.order import MOST_NEEDS
from orchestrator.core.plans.prose.references import says_none
from orchestrator.core.plans.reading.drafts import StepDraft

#: Dependencies that one sentence about stories may stand for.
MOST_RELATED: Final = 2_000


@dataclass(slots=True)
class SpecKitNeeds:
    """Puts needs into the tasks of one text.

    `place` is where each task stands in the list, `stories` has the tasks of each story, `phases` the lines
    on which the phases start.
    """

    by_id: Mapping[str, StepDraft]
    place: Mapping[str, int]
    stories: Mapping[str, Sequence[str]]
    phases: Sequence[int]
    findings: Findings
    _told_stories: set[tuple[str, str]] = field(default_factory=set)
    _left: int = MOST_NEEDS
    _is_told: bool = False

    def state(self, waits: Sequence[tuple[StepDraft, str, int]]) -> None:
        """The dependencies that tasks state themselves: the task, what it says, the line of that."""
        named = self._all_named(waits)
        circle_of = self._circles(named)
        for (step, keys), (_, value, line) in zip(named, waits, strict=False):
            tasks = [key for key in keys if not key.startswith("US")]
            if step.key and tasks:
                self._wait(step, tasks, circle_of.get(step.key, frozenset()), line)
            elif not says_none(value):
                step.notes.text.append(f"Depends on: {value}")
                message = f"“{value[:60]}” names no task, so {step.key or 'the task'} does not wait for it."
                self.findings.add("unreadable-value", line, message, "Name tasks by their ids.")

    def _all_named(self, waits: Sequence[tuple[StepDraft, str, int]]) -> list[tuple[StepDraft, list[str]]]:
        """What each task names, up to as many as a plan can have."""
        named: list[tuple[StepDraft, list[str]]] = []
        count = 0
        for step, value, line in waits:
            if count > MOST_NEEDS:
                self._tell_too_many(step, line)
                break
            named.append((step, self._named(value, step.key)))
            count += len(named[-1][1])
        return named

    def _named(self, value: str, own: str) -> list[str]:
        """The ids that a task names, without its own and those that only a range would have."""
        inside = inside_ranges(value)
        return [key for key in ids_in(value) if key != own and (key in self.by_id or key not in inside)]

    def _circles(self, named: Sequence[tuple[StepDraft, list[str]]]) -> dict[str, frozenset[str]]:
        """The circle that each task stands in; only where a task names a later one there can be any."""
        stated: dict[str, list[str]] = defaultdict(list)
        forward = False
        for step, keys in named:
            own = self.place.get(step.key, -1)
            stated[step.key] += keys
            forward = forward or any(self.place.get(key, -1) > own for key in keys)
        return {key: circle for circle in circles(stated) for key in circle} if forward else {}

    def _wait(self, step: StepDraft, keys: list[str], circle: frozenset[str], line: int) -> None:
        own = self.place[step.key]
        later = [key for key in keys if self.place.get(key, -1) > own and key not in circle]
        held = [key for key in keys if self.place.get(key, -1) < own or key in circle]
        self._add(step, held, line)
        if later:
            self.relate([step.key], later, line)

    def relate(self, after: Sequence[str], before: Sequence[str], line: int) -> None:
        """The prose says that tasks wait for others; left out where one of them stands later."""
        earliest = min(self.place[key] for key in after)
        forward = [key for key in before if self.place[key] >= earliest]
        if forward:
            message = (
                f"The text says that {after[0]} waits for {forward[0]}, which stands later; this is left out."
            )
            self.findings.add("unreadable-value", line, message, "Reorder the tasks, or correct the text.")
            return
        for key in after:
            self._add(self.by_id[key], before, line)
        message = f"{_some(after)} waits for {_some(before)}, because the text says so."
        self.findings.add("inferred-needs", line, message, "Check that this is what the text means.")

    def _add(self, step: StepDraft, keys: Sequence[str], line: int) -> None:
        """More needs than a plan can have are told once, where they start."""
        had = set(step.needs)
        fresh = [key for key in dict.fromkeys(keys) if key not in had]
        step.needs += fresh[: self._left]
        if len(fresh) > self._left:
            self._tell_too_many(step, line)
        self._left -= min(len(fresh), self._left)

    def _tell_too_many(self, step: StepDraft, line: int) -> None:
        if not self._is_told:
            self._is_told = True
            message = (
                f"There are more than {MOST_NEEDS:,} dependencies; from {step.key} on they are not read."
            )
            self.findings.add("unreadable-value", line, message, "Split the plan.")

    def relate_stories(self, after: Sequence[str], before: Sequence[str], line: int) -> None:
        """`US8 depends on US6`: holds where its phase stands later.

        Inside one phase it becomes dependencies.
        """
        waits = [name for name in after if name in self.stories]
        first = [name for name in before if name in self.stories]
        for one, other in [(one, other) for one in waits[:1] for other in first if one != other]:
            if (one, other) in self._told_stories:
                continue
            self._told_stories.add((one, other))
            mine, theirs = self.stories[one], self.stories[other]
            is_later = self.place[mine[0]] > self.place[theirs[-1]]
            if is_later and self._phase_of(mine[0]) != self._phase_of(theirs[-1]):
                message = (
                    f"The text says that {one} waits for {other}, whose phase stands before it, "
                    f"so that holds."
                )
                self.findings.add("inferred-needs", line, message, "Nothing to do.")
            elif len(mine) * len(theirs) <= MOST_RELATED:
                self.relate(mine, theirs, line)

    def _phase_of(self, key: str) -> int:
        return bisect_right(self.phases, self.by_id[key].line)


def _some(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} … {keys[-1]}"
