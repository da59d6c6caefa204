"""The fate of one line after the other, looked up in the plan value and in the findings of its reader."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from functools import cached_property
from itertools import islice
from typing import Final

from orchestrator.core.plans.account.carried import Carried, words_of
from orchestrator.core.plans.account.dependencies import ARROW, LABELLED, names_in, names_only
from orchestrator.core.plans.plan import PlacedStep, Plan, Reading
from orchestrator.core.plans.work_lines import AccountEntry, Fate, WorkKind, WorkLine

#: Findings that say that a line was not read.
_TOLD: Final = frozenset(
    {"step-outside", "step-in-details", "box-without-key", "gate-not-read", "question-without-box"}
    | {"line-left-out", "left-out", "duplicate-id", "conflict-marker"}
)
#: Findings that say what a dependency was read as, or why it was not.
_TOLD_OF_WAITS: Final = _TOLD | {
    "inferred-needs",
    "unknown-dependency",
    "dependency-cycle",
    "unreadable-value",
    "finished-dependency",
    "dropped-dependency",
    "part-needs-whole",
}
_TITLE: Final = 120
_COMPARED: Final = 60
#: Pairs of steps of two groups that are looked at.
_PAIRS: Final = 400
_CALLED: Final = re.compile(r"(?:work package[ \t:]+)?([A-Z]{1,6}-?\d{1,6})\b", re.IGNORECASE)
_KEY_FIRST: Final = re.compile(r"(?:(?:task|step)[ \t]+)?([\w.-]{1,80}?)[ \t]*:[ \t]", re.IGNORECASE)

#: The steps that a name may stand for; one of them is meant.
Meant = tuple[PlacedStep, ...]


class Sorter:
    """Asks where each line of a source went. What stands in no plan is a finding of the whole text."""

    def __init__(self, reading: Reading) -> None:
        self._plan = reading.plan
        self._told = {found.line for found in reading.findings if found.code in _TOLD}
        self._told_of_waits = {found.line for found in reading.findings if found.code in _TOLD_OF_WAITS}
        self._placed = list(reading.plan.placed_steps()) if reading.plan else []
        self._steps: dict[int, PlacedStep] = {}
        self._on_line: Counter[int] = Counter()
        for placed in self._placed:
            self._steps.setdefault(placed.step.line, placed)
            self._on_line[placed.step.line] += 1
        self._step_lines = sorted(self._steps)
        self._groups = _groups_of(reading.plan) if reading.plan else {}
        self._group_lines = sorted(self._groups)
        self._questions = {question.line for question in reading.plan.questions} if reading.plan else set()
        self._waits = _Waits(self._placed)
        self._carried: Carried | None = None
        self._last: PlacedStep | None = None
        #: The keys of the steps that some line stands for.
        self.seen: set[str] = set()
        self.next_file()

    def next_file(self) -> None:
        """A file beside another may say the same steps again."""
        self._titles: dict[str, list[PlacedStep]] = {}

    def _titled(self, text: str) -> list[PlacedStep]:
        """The steps that are called so and that no line of this file stands for yet."""
        if not self._titles:
            for placed in reversed(self._placed):
                self._titles.setdefault(_short(placed.step.title), []).append(placed)
        return self._titles.get(_short(text), [])

    def entry(self, line: WorkLine) -> AccountEntry | None:
        """The line with its fate; None for a dependency that names nothing of the plan."""
        if self._plan is None:
            return AccountEntry(line, Fate.FINDING)
        fate = self._of_wait(line) if line.kind is WorkKind.DEPENDENCY else self._of_work(line)
        return AccountEntry(line, fate) if fate is not None else None

    # -- work

    def _of_work(self, line: WorkLine) -> Fate:
        number = line.number
        if line.kind is WorkKind.TASK:
            return self._of_task(line)
        if number in self._steps:
            self.seen.add(self._steps[number].step.key)
            return Fate.STEP
        if self._is_group(line):
            return Fate.HEADING
        if number in self._questions:
            return Fate.PART
        if line.kind is WorkKind.HEADING and self._names_plan(line):
            return Fate.HEADING
        return self._in_texts(line)

    def _names_plan(self, line: WorkLine) -> bool:
        """Whether the plan is called so: `# Q3 – Payments`."""
        return bool(self._plan and words_of(self._plan.name) == words_of(line.text))

    def _is_group(self, line: WorkLine) -> bool:
        """Whether a group is called so: its line alone may be that of its first step."""
        names = self._groups.get(line.number)
        if not names:
            return False
        own = words_of(line.text)
        return any(own in name or name in own for name in map(words_of, names) if name)

    def _in_texts(self, line: WorkLine) -> Fate:
        if line.kind is WorkKind.ROW and self._is_about_step(line):
            return Fate.PART
        carried = self._texts()
        place = carried.take(line.text, line.number) or carried.holds(line.text, line.number)
        if place is not None and place.of_step:
            return Fate.PART
        if line.number in self._told:
            return Fate.FINDING
        return Fate.TEXT if place is not None else self._again(line)

    def _is_about_step(self, line: WorkLine) -> bool:
        """Whether a row of a table names a step of the plan: `| T001 | Dig | Phase 1 |`."""
        cells = (cell.strip(" *`") for cell in line.text.strip("|").split("|")[:2])
        return any(not cell.isdigit() and self._waits.knows(cell) for cell in cells)

    def _again(self, line: WorkLine) -> Fate:
        """A line of a second file that names a step of the first."""
        key = _KEY_FIRST.match(line.text)
        again = self._titled(line.text) or (key and self._waits.knows(key[1]))
        return Fate.STEP if again else Fate.UNREAD

    def _of_task(self, line: WorkLine) -> Fate:
        """An object or an element that is a task: by its title, or by the line that it has of its own."""
        self._last = None
        waiting = self._titled(line.text) if line.text else None
        if waiting:
            self._last = waiting.pop()
        elif line.number and self._on_line[line.number] > 0:
            self._last = self._steps[line.number]
        else:
            return self._in_texts(line)
        self._on_line[self._last.step.line] -= 1
        self.seen.add(self._last.step.key)
        return Fate.STEP

    def _texts(self) -> Carried:
        assert self._plan is not None
        if self._carried is None:
            self._carried = Carried(self._plan)
        return self._carried

    # -- dependencies

    def _of_wait(self, line: WorkLine) -> Fate | None:
        if line.number in self._waits.lines or (self._last is not None and self._waits.any(self._last)):
            return Fate.PART
        known = self._waits.known(line.text, self._near(line.number), listed=line.under == LABELLED)
        if not known:
            return self._of_unknown(line)
        subjects = self._subjects(line)
        if not subjects:
            # A sentence in front of all steps.
            return None
        if all(self._waits.holds(one, other) for one in subjects for other in known):
            return Fate.PART
        if line.under == ARROW and all(self._waits.holds(one, other) for one in known for other in subjects):
            # In the line of a step an arrow may point at what it waits for.
            return Fate.PART
        return Fate.FINDING if line.number in self._told_of_waits else Fate.UNREAD

    def _of_unknown(self, line: WorkLine) -> Fate | None:
        if line.under != LABELLED:
            return None
        if line.number in self._told_of_waits:
            return Fate.FINDING
        place = self._texts().holds(line.text, line.number)
        return Fate.UNREAD if place is None or names_only(line.text) else Fate.PART

    def _subjects(self, line: WorkLine) -> list[Meant]:
        """What waits: the step whose line it is, what stands before the phrase, or what stands above."""
        own = self._steps.get(line.number)
        if own is not None and line.under != ARROW:
            return [(own,)]
        near = self._near(line.number)
        named = self._waits.known(line.before, near) if line.before else []
        return named or ([near] if near and line.under != ARROW else [])

    def _near(self, number: int) -> Meant:
        """The step above a line, or all steps of the group whose heading stands nearer to it."""
        at = bisect_right(self._step_lines, number)
        step = self._step_lines[at - 1] if at else 0
        at = bisect_right(self._group_lines, number)
        group = self._group_lines[at - 1] if at else 0
        if group > step:
            return self._waits.in_group(group)
        return (self._steps[step],) if step else ()


class _Waits:
    """Which steps wait for which, by what they need and by where they stand."""

    def __init__(self, placed: list[PlacedStep]) -> None:
        self._placed = placed

    @cached_property
    def _needs(self) -> dict[str, set[str]]:
        return {one.step.key: _keys(one) for one in self._placed}

    @cached_property
    def lines(self) -> set[int]:
        """Lines other than a step's own that a dependency was read from."""
        lines = {need.line for one in self._placed for need in one.step.needs if need.line != one.step.line}
        return lines - {0}

    @cached_property
    def _names(self) -> dict[str, list[PlacedStep]]:
        """Steps by their key, and by the name of the group that they stand in."""
        names: dict[str, list[PlacedStep]] = defaultdict(list)
        called: dict[str, str] = {}
        for one in self._placed:
            names[one.step.key.lower()].append(one)
            for group in {one.stage.name, one.thread.name}:
                if group not in called:
                    match = _CALLED.match(group)
                    called[group] = match[1].lower() if match else ""
                if called[group]:
                    names[called[group]].append(one)
        return names

    @cached_property
    def _titles(self) -> dict[str, list[PlacedStep]]:
        titles: dict[str, list[PlacedStep]] = defaultdict(list)
        for one in self._placed:
            titles[_short(one.step.title)].append(one)
        return titles

    @cached_property
    def _groups(self) -> dict[int, list[PlacedStep]]:
        groups: dict[int, list[PlacedStep]] = defaultdict(list)
        for one in self._placed:
            for line in {one.stage.line, one.batch.line, one.thread.line}:
                groups[line].append(one)
        return groups

    def knows(self, key: str) -> bool:
        return key.lower() in self._names

    def in_group(self, line: int) -> Meant:
        return tuple(self._groups[line])

    def known(self, text: str, near: Meant, *, listed: bool = False) -> list[Meant]:
        """What the names in a text stand for: a key, a title, a group, the number of a step beside."""
        stage = near[0].place[0] + 1 if near else 0
        parts = text.split(",") if listed else [text]
        names = dict.fromkeys(name for part in parts for name in names_in(part))
        found = [(*self._names.get(f"{stage}.{name}", ()), *self._names.get(name, ())) for name in names]
        found += [tuple(self._titles.get(_short(part), ())) for part in text.split(",")] if listed else []
        return [steps for steps in found if steps]

    def any(self, one: PlacedStep) -> bool:
        return bool(self._needs[one.step.key])

    def holds(self, waiting: Meant, others: Meant) -> bool:
        """Whether one of some steps waits for one of the others: it says so, or stands behind it."""
        pairs = islice(((one, other) for one in waiting for other in others), _PAIRS)
        return any(one is other or self._waits(one, other) for one, other in pairs)

    def _waits(self, one: PlacedStep, other: PlacedStep) -> bool:
        if other.step.key in self._needs[one.step.key]:
            return True
        (stage, batch, thread, step), (s, b, t, n) = one.place, other.place
        if (s, b) < (stage, batch):
            return True
        return (s, b, t) == (stage, batch, thread) and n < step and not one.step.parallel


def _groups_of(plan: Plan) -> dict[int, set[str]]:
    """The names of the groups that stand on a line."""
    names: dict[int, set[str]] = defaultdict(set)
    for stage in plan.stages:
        names[stage.line].add(stage.name)
        for batch in stage.batches:
            names[batch.line].add(batch.name)
            for thread in batch.threads:
                names[thread.line].add(thread.name)
    return names


def _keys(placed: PlacedStep) -> set[str]:
    return {need.key for need in placed.step.needs}


def _short(title: str) -> str:
    """The start of a title as it is compared; readers may cut what is longer."""
    return " ".join(title[:_TITLE].lower().split())[:_COMPARED].rstrip()
