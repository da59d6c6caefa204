"""Conditions in a plan: the needs they imply, and what is wrong with them (AD-8, BX-3)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from orchestrator.core.engine.conditions import (
    WORDS,
    ConditionFact,
    ConditionUnreadable,
    facts_of,
    is_outcome,
    read_condition,
    steps_named,
)
from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import Findings, finding
from orchestrator.core.plans.plan import Need, PlacedStep, Plan, StepSpec

#: Characters of all outcomes of a step together, with the commas between them.
OUTCOMES_LENGTH: Final = 300
_EXAMPLE: Final = "Write for example `When: T1 is failed` or `When: A1 is passed and not (B1 is skipped)`."


def with_condition_needs(plan: Plan, findings: Findings) -> Plan:
    """A step waits for the steps that its condition asks for, where the plan does not say so itself."""
    if not any(step.when for step in plan.steps()):
        return plan
    placed = _by_key(plan)

    def waiting(step: StepSpec) -> StepSpec:
        known = {need.key for need in step.needs}
        here = placed[step.key]
        asked = [
            key
            for key in steps_named(step.when)
            if key not in known and key in placed and not _stands_later(placed[key], here)
        ]
        if not asked or step.gate:
            return step
        line = step.when_line or step.line
        message = f"{step.key} waits for {', '.join(asked)}, because its condition asks for it."
        findings.add(
            "inferred-needs", line, message, f"Write (needs {', '.join(asked)}) to make it explicit."
        )
        return replace(step, needs=(*step.needs, *(Need(key, line, inferred=True) for key in asked)))

    return plan.with_steps(waiting)


def check_conditions(plan: Plan) -> Iterator[Finding]:
    telling = [item for item in plan.placed_steps() if item.step.when or item.step.outcomes]
    placed = _by_key(plan) if telling else {}
    parameters = dict(plan.parameters)
    for item in telling:
        yield from _outcomes(item.step)
        if item.step.when:
            yield from _condition(item, placed, parameters)


def _by_key(plan: Plan) -> dict[str, PlacedStep]:
    placed: dict[str, PlacedStep] = {}
    for item in plan.placed_steps():
        placed.setdefault(item.step.key, item)
    return placed


def _stands_later(asked: PlacedStep, here: PlacedStep) -> bool:
    """Whether it is the step itself, or behind it in its thread or by a batch."""
    if asked.place[:3] == here.place[:3]:
        return asked.place[3] >= here.place[3]
    return asked.place[:2] > here.place[:2]


def _outcomes(step: StepSpec) -> Iterator[Finding]:
    if len(", ".join(step.outcomes)) > OUTCOMES_LENGTH:
        message = f"The outcomes of {step.key} have more than {OUTCOMES_LENGTH} characters together."
        yield finding("too-long", step.line, message, "Declare fewer or shorter outcomes.")
    for word in step.outcomes:
        if not is_outcome(word):
            message = f"{step.key} declares the outcome “{word[:40]}”, which no condition can ask for."
            fix = "Use one word of letters, digits, hyphens and underscores, such as `passed` or `failed`."
            yield finding("unusable-outcome", step.line, message, fix)


def _condition(
    item: PlacedStep, placed: Mapping[str, PlacedStep], parameters: Mapping[str, str]
) -> Iterator[Finding]:
    step = item.step
    line = step.when_line or step.line
    if step.gate:
        message = f"Gate {step.key} has a condition, but a gate is never skipped."
        yield finding(
            "condition-on-gate", line, message, "Take it away, or give it to the steps around the gate."
        )
        return
    try:
        condition = read_condition(step.when)
    except ConditionUnreadable as error:
        message = f"The condition of {step.key} cannot be read: {error}."
        yield finding("unreadable-condition", line, message, _EXAMPLE)
        return
    for fact in dict.fromkeys(facts_of(condition)):
        if fact.parameter:
            yield from _parameter(step.key, fact, parameters, line)
        else:
            yield from _asked(item, fact, placed, line)


def _parameter(key: str, fact: ConditionFact, parameters: Mapping[str, str], line: int) -> Iterator[Finding]:
    if fact.subject not in parameters:
        message = (
            f"The condition of {key} asks for the parameter “{fact.subject[:60]}”, which is not declared."
        )
        fix = (
            f"Declare it in the front matter below `parameters:`, or use one of "
            f"{', '.join(parameters) or 'none'}."
        )
        yield finding("condition-unknown", line, message, fix)


def _asked(
    item: PlacedStep, fact: ConditionFact, placed: Mapping[str, PlacedStep], line: int
) -> Iterator[Finding]:
    key, asked = item.step.key, placed.get(fact.subject)
    if asked is None:
        message = f"The condition of {key} asks for {fact.subject[:80]}, which is not in the plan."
        yield finding("condition-unknown", line, message, "Correct the key, or add the step.")
    elif _stands_later(asked, item):
        what = "itself" if asked.step.key == key else f"{asked.step.key}, which stands later"
        message = f"The condition of {key} asks for {what}."
        yield finding("condition-on-later", line, message, "Ask for a step that stands before it.")
    elif fact.word not in (*asked.step.outcomes, *WORDS):
        message = (
            f"The condition of {key} asks whether {asked.step.key} is {fact.word[:40]}, which it never is."
        )
        words = ", ".join((*asked.step.outcomes, *WORDS))
        fix = f"Ask for {words}; or write `Outcomes: passed, {fact.word[:40]}` below {asked.step.key}."
        yield finding("condition-unknown", line, message, fix)
