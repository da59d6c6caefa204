"""Our plan file: a plan as JSON, read strictly (AD-5).

What is missing, unknown or of the wrong kind is a finding with its path and line. A file of several plans
is split before it is read (`folder.py`): one workstream has one plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import dedent
from typing import Any

from orchestrator.core.engine.budgets import read_budget
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.action import ACTION, action_key, has_action, with_action
from orchestrator.core.plans.conditions import with_condition_needs
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.json_shape import Places, problems
from orchestrator.core.plans.formats.plan_file_schema import PLAN_FILE_SCHEMA, VERSION
from orchestrator.core.plans.plan import (
    BatchSpec,
    GateSpec,
    Need,
    Plan,
    Question,
    Reading,
    StageSpec,
    StepSpec,
    ThreadSpec,
)
from orchestrator.core.plans.reading.json_source import load
from orchestrator.core.plans.reading.unlocks import with_unlocks
from orchestrator.core.plans.text.front_matter import FrontMatter, silence_of
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.core.plans.text.parameters import fill
from orchestrator.core.plans.text.source import MAX_STEPS, too_many_steps
from orchestrator.core.terms import GateKind, StageKind

Json = Mapping[str, Any]


def looks_like(value: Any) -> bool:
    """Whether a JSON value is a plan file of ours, perhaps a wrong one."""
    if not isinstance(value, dict):
        return False
    plan = value.get("plan", value.get("plans"))
    return "schemaVersion" in value or isinstance(plan, dict | list)


def wrapped(plan: Any) -> dict[str, Any]:
    """One plan's JSON as a plan file."""
    return {"schemaVersion": VERSION, "plan": plan}


def plans_in(value: Any) -> tuple[Any, ...]:
    """The plans of a loaded plan file, still as JSON."""
    plans = value.get("plans") if isinstance(value, dict) else None
    if isinstance(plans, list):
        return tuple(plans)
    return (value["plan"],) if "plan" in value else ()


def read(text: str) -> Reading:
    """The plan of a plan file; None with findings when the plan file is not as its schema says."""
    findings = Findings()
    value = load(text, findings)
    if value is None:
        return Reading(None, findings.all())
    places = Places(text, value)
    odd = [found for found in findings.all() if found.code == "odd-json"]
    for found in odd:
        findings.add("plan-file-field", 0, found.message, "Correct the file.")
    plans = plans_in(value) if isinstance(value, dict) else ()
    for problem in problems(value, PLAN_FILE_SCHEMA):
        line = places.line(problem.holder, problem.name) or 1
        message = f"{problem.path or 'The plan file'} {problem.message}."
        fix = "See workstream.schema.json for what a plan file holds."
        findings.add("plan-file-field", line, message, fix)
    if isinstance(value, dict) and ("plan" in value) == ("plans" in value):
        findings.add(
            "plan-file-field", 1, "A plan file has either `plan` or `plans`.", "Keep one of the two."
        )
    if any(found.blocks for found in findings.all()):
        return Reading(None, findings.all())
    if len(plans) > 1:
        message = f"The plan file has {len(plans)} plans; each becomes a workstream of its own."
        findings.add("several-plans", 1, message, "Submit it as a bundle, or one plan at a time.")
        return Reading(None, findings.all())
    plan = _BundleReader(places, findings).plan(plans[0])
    if plan is None or any(found.blocks for found in findings.all()):
        return Reading(None, findings.all())
    return Reading(_finished(plan, plans[0], text, places, findings), findings.all())


def _finished(plan: Plan, given: Json, text: str, places: Places, findings: Findings) -> Plan | None:
    """With parameters filled in, and with the dependencies that gates and conditions imply."""
    filled: Plan | None = plan
    if plan.parameters:
        matter = FrontMatter(parameters=dict(plan.parameters))
        holder = given["parameters"]
        matter.parameter_lines = {name: places.line(holder, name) for name in matter.parameters}
        filled = fill(plan, split_lines(text), matter, findings)
    return filled and with_condition_needs(with_unlocks(filled, findings), findings)


class _BundleReader:
    """Makes the plan of JSON that is as the schema says."""

    def __init__(self, places: Places, findings: Findings) -> None:
        self.places = places
        self.findings = findings
        self.keys: set[str] = set()
        self.by_needs = False

    def plan(self, given: Json) -> Plan | None:
        self.by_needs = given.get("order") == "dependencies"
        stages = given["stages"]
        batches = [batch for stage in stages for batch in stage["batches"]]
        threads = [thread for batch in batches for thread in batch["threads"]]
        steps = [step for thread in threads for step in thread["steps"]]
        if not steps:
            fix = "Add a step to a thread of a batch."
            self.findings.add("no-step", 0, "The plan has no step, so there is nothing to schedule.", fix)
            return None
        if len(steps) > MAX_STEPS:
            self.findings.extend((too_many_steps(len(steps)),))
            return None
        self.keys = {step["key"] for step in steps}
        return Plan(
            name=_name(given),
            stages=tuple(self._stage(number, stage) for number, stage in enumerate(stages, 1)),
            summary=_text(given, "summary"),
            domain=_line(given, "domain"),
            owner=_line(given, "owner"),
            priority=int(given.get("priority", 0)),
            repository=_line(given, "repository"),
            base_branch=_line(given, "baseBranch") or "main",
            questions=tuple(
                Question(one["text"].strip(), self.places.line(one), one["answered"])
                for one in given.get("questions", ())
            ),
            parameters=tuple(given.get("parameters", {}).items()),
            needs=_items(given, "needs"),
            needs_line=self.places.line(given, "needs") if "needs" in given else 0,
            approvers=tuple(dict.fromkeys(given.get("approvers", ()))),
            approvals=int(given.get("approvals", 0)),
            approvers_line=self.places.line(given, "approvers") if "approvers" in given else 0,
            by_needs=self.by_needs,
            verify=_line(given, "verify"),
            budget=self._budget(given),
            silence=self._silence(given),
        )

    def _budget(self, given: Json) -> str:
        try:
            return read_budget(_line(given, "budget")).line
        except InvalidInput as refusal:
            line = self.places.line(given, "budget")
            self.findings.add("plan-file-field", line, refusal.message, refusal.way_out)
            return ""

    def _silence(self, given: Json) -> str:
        text = _line(given, "silence")
        found = silence_of(text)
        if text and not found:
            message = f"silence is no time: {text}"
            line = self.places.line(given, "silence")
            self.findings.add("plan-file-field", line, message, "Write `90m`, `4h` or `none`.")
        return found

    def _stage(self, number: int, given: Json) -> StageSpec:
        return StageSpec(
            number=int(given.get("number", number)),
            name=_name(given),
            line=self.places.line(given),
            kind=StageKind(given.get("kind", StageKind.NORMAL)),
            batches=tuple(self._batch(place, batch) for place, batch in enumerate(given["batches"], 1)),
            definition=_text(given, "definition"),
        )

    def _batch(self, number: int, given: Json) -> BatchSpec:
        line = self.places.line(given)
        gates = [step for thread in given["threads"] for step in thread["steps"] if "gate" in step]
        if gates and not (self.by_needs and len(given["threads"]) > 1):
            return self._gate_batch(given, gates[0], line)
        prefix = given.get("prefix", str(number))
        if not prefix.isdecimal():
            message = f"The batch “{given['name'][:60]}” has no gate; its prefix is a number, not {prefix}."
            place = self.places.line(given, "prefix")
            self.findings.add("plan-file-field", place, message, "Write a number.")
        threads = tuple(self._in_batch(place, thread) for place, thread in enumerate(given["threads"], 1))
        return BatchSpec(_numbered(prefix), _name(given), line, threads, _text(given, "summary"))

    def _in_batch(self, number: int, given: Json) -> ThreadSpec:
        """A thread of a batch; with `order: dependencies` a gate may be one of them."""
        gate, line = next((step for step in given["steps"] if "gate" in step), None), self.places.line(given)
        return self._gate_thread(gate, given, line, alone=True) if gate else self._thread(number, given)

    def _gate_batch(self, given: Json, gate: Json, line: int) -> BatchSpec:
        """A gate is alone in its batch, but for the step that runs its action."""
        built = self._gate_thread(gate, given["threads"][0], line, alone=len(given["threads"]) == 1)
        return BatchSpec(gate["key"], _name(given), line, (built,))

    def _gate_thread(self, gate: Json, given: Json, line: int, *, alone: bool) -> ThreadSpec:
        steps = [self._step(step) for step in given["steps"]]
        if not alone or steps[-1].gate is None or not _runs_action(steps[:-1], steps[-1]):
            message = f"Gate {gate['key']} does not stand alone in its batch."
            fix = "Give it a batch of its own."
            self.findings.add("plan-file-field", self.places.line(gate), message, fix)
        built = tuple([replace(step, inferred=(ACTION,)) for step in steps[:-1]] + [steps[-1]])
        if has_action(steps[-1]) and len(steps) == 1:
            built = with_action(steps[-1], self._free(action_key(gate["key"])), self.findings)
        return ThreadSpec(gate["key"], _name(given), line, built)

    def _free(self, key: str) -> str:
        free, count = key, 1
        while free in self.keys:
            count += 1
            free = f"{key}-{count}"
        self.keys.add(free)
        return free

    def _thread(self, number: int, given: Json) -> ThreadSpec:
        return ThreadSpec(
            lane=_numbered(given.get("lane", str(number))),
            name=_name(given),
            line=self.places.line(given),
            steps=tuple(self._step(step) for step in given["steps"]),
            summary=_text(given, "summary"),
            role=_line(given, "role").lower(),
            files=_items(given, "files"),
            worktree=_line(given, "worktree"),
        )

    def _step(self, given: Json) -> StepSpec:
        line = self.places.line(given)
        return StepSpec(
            key=given["key"],
            title=given["title"].strip(),
            line=line,
            details=_text(given, "details"),
            parallel=given.get("parallel", False),
            needs=tuple(Need(name, line) for name in _depends_on(given)),
            gate=_gate(given["gate"]) if "gate" in given else None,
            role=_line(given, "role").lower(),
            tool=_line(given, "tool"),
            run=_line(given, "run"),
            verify=_line(given, "verify"),
            budget=self._budget(given),
            files=_items(given, "files"),
            resources=_items(given, "resources"),
            entry=_lines(given, "entry"),
            exit=_lines(given, "exit"),
            done_when=_lines(given, "doneWhen"),
            when=_line(given, "when"),
            when_line=self.places.line(given, "when") if given.get("when") else 0,
            estimate=int(given.get("estimate", 0)),
            outcomes=tuple(word.lower() for word in _items(given, "outcomes")),
            max_attempts=int(given.get("maxAttempts", 0)),
            may_add=int(given.get("mayAdd", 0)),
            added_by=_line(given, "addedBy"),
        )


def _depends_on(given: Json) -> tuple[str, ...]:
    """The seed's word and ours; a file may have either, or both (AD-1)."""
    return tuple(dict.fromkeys((*_items(given, "depends_on"), *_items(given, "needs"))))


def _gate(given: Json) -> GateSpec:
    return GateSpec(
        kind=GateKind(given["kind"]),
        reviewers=_lines(given, "reviewers"),
        action=_text(given, "action"),
        unlocks=_items(given, "unlocks"),
        signatures=int(given.get("signatures", 1)),
    )


def _runs_action(before: Sequence[StepSpec], gate: StepSpec) -> bool:
    """Whether what stands before a gate is nothing, or the one step that `plan_action.py` makes for it."""
    if not before:
        return True
    named = before[0].title.startswith(f"Action of {gate.key}: ")
    return len(before) == 1 and named and [need.key for need in gate.needs] == [before[0].key]


def _name(given: Json) -> str:
    """As headings carry it: without separators in front."""
    return str(given["name"]).strip().lstrip(" \t:.-–—") or "Unnamed"


def _numbered(text: str) -> str:
    return f"{int(text):02}" if text.isdecimal() else text


def _line(given: Json, name: str) -> str:
    return str(given.get(name, "")).strip()


def _lines(given: Json, name: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in given.get(name, ()))


def _items(given: Json, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_lines(given, name)))


def _text(given: Json, name: str) -> str:
    """As every reader keeps a text: without blank lines around it, common indent and blanks at line ends."""
    lines = split_lines(given.get(name, ""))
    return dedent("\n".join(line.rstrip() for line in lines)).strip("\n")
