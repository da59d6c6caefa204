"""What changed between two versions of a plan: its structure first, in words (WF-3, FR-022)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.graph import critical_path
from orchestrator.core.plans.plan import PlacedStep, Plan, StepSpec

#: Field -> what it is called; the order in which changes are told.
_FIELDS: Final = {
    "title": "title",
    "details": "details",
    "needs": "dependencies",
    "parallel": "parallel",
    "role": "role",
    "tool": "tool",
    "run": "command",
    "verify": "verification",
    "budget": "budget",
    "files": "files",
    "resources": "resources",
    "entry": "entry criteria",
    "exit": "exit criteria",
    "done_when": "definition of done",
    "when": "condition",
    "outcomes": "outcomes",
    "estimate": "estimate",
    "max_attempts": "most attempts",
    "may_add": "steps it may add",
}
#: Fields of the plan itself that are compared as they stand.
_WORDS: Final = (
    *("name", "summary", "domain", "owner", "priority", "repository", "base_branch", "verify"),
    *("budget", "silence"),
)
_GATE: Final = {
    "kind": "kind of gate",
    "reviewers": "reviewers",
    "action": "action",
    "unlocks": "what it unlocks",
    "signatures": "signatures",
}


@dataclass(frozen=True, slots=True)
class FieldChange:
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepChange:
    """`kind` is added, dropped or changed, `fields` say how. `line` is in the text that has the step."""

    kind: str
    key: str
    title: str
    line: int
    gate: bool
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of both versions."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """`steps` are in plan order, dropped ones last; `others` are changes outside the steps."""

    steps: tuple[StepChange, ...]
    others: tuple[FieldChange, ...]
    measures: tuple[Measure, ...]

    @property
    def sentence(self) -> str:
        """ "adds 1 task, changes 2 dependencies and drops 1 gate"; empty when the plan is the same."""
        said = [*self._steps("added", "adds"), *self._changed(), *self._steps("dropped", "drops")]
        if self.others:
            said.append("changes " + _listed([change.name for change in self.others]))
        return _listed(said)

    def _steps(self, kind: str, verb: str) -> Iterator[str]:
        tasks = sum(step.kind == kind and not step.gate for step in self.steps)
        gates = sum(step.kind == kind and step.gate for step in self.steps)
        counted = [_counted(tasks, "task"), _counted(gates, "gate")]
        if words := _listed([text for text in counted if text]):
            yield f"{verb} {words}"

    def _changed(self) -> Iterator[str]:
        by_field: dict[str, dict[str, None]] = {}
        for step in self.steps:
            for field in step.fields:
                by_field.setdefault(field.name, {})[step.key] = None
        for name, changed in by_field.items():
            keys = list(changed)
            shown = _listed(keys[:3]) if len(keys) <= 3 else f"{len(keys)} steps"
            yield f"changes the {name} of {shown}"


def compare_plans(old: Plan, new: Plan, was: Mapping[str, str] | None = None) -> PlanChanges:
    """Steps by their keys, or by what each `was` called before (new key -> old key, of those that are the
    same step); where a step stands and what it is called count as fields of it.
    """
    before = {placed.step.key: placed for placed in old.placed_steps()}
    after = {placed.step.key: placed for placed in new.placed_steps()}
    was = {key: key for key in after if key in before} if was is None else was
    now = {earlier: key for key, earlier in was.items()}
    steps = [
        _step("changed" if key in was else "added", one, before.get(was.get(key, "")), now)
        for key, one in after.items()
    ]
    steps += [_step("dropped", one, None, now) for key, one in before.items() if key not in now]
    return PlanChanges(
        steps=tuple(step for step in steps if step.kind != "changed" or step.fields),
        others=tuple(_others(old, new)),
        measures=(
            Measure("Tasks", len(before), len(after)),
            Measure("Gates among them", _gates(before), _gates(after)),
            Measure("Batches", _batches(old), _batches(new)),
            Measure("Critical path", len(critical_path(old)), len(critical_path(new))),
        ),
    )


def _step(kind: str, placed: PlacedStep, before: PlacedStep | None, now: Mapping[str, str]) -> StepChange:
    step = placed.step
    fields = tuple(_fields(before, placed, now)) if before else ()
    return StepChange(kind, step.key, step.title, step.line, step.gate is not None, fields)


def _fields(old: PlacedStep, new: PlacedStep, now: Mapping[str, str]) -> Iterator[FieldChange]:
    """`now` says what the steps of the old plan are called in the new one."""
    yield from _changed("key", old.step.key, new.step.key)
    if _place(old) != _place(new):
        yield from _changed("place", _said(_place(old)), _said(_place(new)))
    yield from _changed("thread's files", ", ".join(old.thread.files), ", ".join(new.thread.files))
    if old.step == new.step:
        return
    for field, name in _FIELDS.items():
        yield from _changed(name, _shown(old.step, field, now), _shown(new.step, field, {}))
    for field, name in _GATE.items():
        yield from _changed(name, _gate(old.step, field), _gate(new.step, field))


def _changed(name: str, before: str, after: str) -> Iterator[FieldChange]:
    if before != after:
        yield FieldChange(name, before, after)


def _place(placed: PlacedStep) -> tuple[int, str, str]:
    return placed.stage.number, placed.batch.prefix, placed.thread.lane


def _said(place: tuple[int, str, str]) -> str:
    return "stage {}, batch {}, thread {}".format(*place)


def _shown(step: StepSpec, field: str, now: Mapping[str, str]) -> str:
    if field == "needs":
        return ", ".join(sorted(now.get(need.key, need.key) for need in step.needs))
    return _text(getattr(step, field))


def _gate(step: StepSpec, field: str) -> str:
    return _text(getattr(step.gate, field)) if step.gate else ""


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value else ""


def _others(old: Plan, new: Plan) -> Iterator[FieldChange]:
    for name in _WORDS:
        yield from _changed(name.replace("_", " "), _text(getattr(old, name)), _text(getattr(new, name)))
    orders = ["dependencies" if plan.by_needs else "batches" for plan in (old, new)]
    yield from _changed("order", *orders)
    yield from _changed("needs", ", ".join(old.needs), ", ".join(new.needs))
    yield from _changed("approvers", ", ".join(old.approvers), ", ".join(new.approvers))
    yield from _changed("approvals needed", _text(old.approvals), _text(new.approvals))
    yield from _changed("parameters", _pairs(old.parameters), _pairs(new.parameters))
    yield from _changed("open questions", _open_questions(old), _open_questions(new))


def _open_questions(plan: Plan) -> str:
    return "; ".join(question.text for question in plan.questions if not question.answered)


def _pairs(parameters: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name} = {value}" for name, value in parameters)


def _gates(steps: dict[str, PlacedStep]) -> int:
    return sum(placed.step.gate is not None for placed in steps.values())


def _batches(plan: Plan) -> int:
    return sum(len(stage.batches) for stage in plan.stages)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""


def _listed(words: list[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
