"""The action of a gate that names a tool or a command: a work step of its own, before the gate (BX-3).

The step runs through the executors like any other. The gate waits for it and is signed besides, so preview,
scheduler and rework need to know nothing new.
"""

from dataclasses import replace
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Need, StepSpec
from orchestrator.core.terms import Role

#: What such a step is marked with among its inferred parts.
ACTION: Final = "action"
_TITLE: Final = 200
#: Longest part of the gate's key that is kept, so that the step's key is short enough.
_KEPT: Final = 70


def action_key(gate: str) -> str:
    """The key to ask for; whoever names things counts up when a step of the plan has it already."""
    return f"{gate[:_KEPT]}.run"


def has_action(gate: StepSpec) -> bool:
    return bool(gate.tool or gate.run)


def with_action(gate: StepSpec, key: str, findings: Findings) -> tuple[StepSpec, StepSpec]:
    """The step that runs the action in the place of the gate, and the gate behind it."""
    said = " ".join((gate.gate.action if gate.gate else "").split()) or gate.run or gate.tool
    step = StepSpec(
        key=key,
        title=f"Action of {gate.key}: {said}"[:_TITLE],
        line=gate.line,
        details=gate.gate.action if gate.gate else "",
        needs=gate.needs,
        role=Role.CONTRIBUTOR,
        tool=gate.tool,
        run=gate.run,
        files=gate.files,
        resources=gate.resources,
        entry=gate.entry,
        exit=gate.exit or (f"The action succeeds: {said}"[:_TITLE],),
        estimate=gate.estimate,
        outcomes=gate.outcomes,
        max_attempts=gate.max_attempts,
        added_by=gate.added_by,
        inferred=(ACTION,),
    )
    message = f"{gate.key} runs {gate.run or gate.tool} as step {key}; it is signed when that is complete."
    findings.add(
        "inferred-action", gate.line, message, "Nothing, or write that step yourself and take the tool away."
    )
    behind = replace(
        gate,
        needs=(Need(key, gate.line, inferred=True),),
        tool="",
        run="",
        files=(),
        resources=(),
        exit=(),
        outcomes=(),
        estimate=0,
        max_attempts=0,
    )
    return step, behind
