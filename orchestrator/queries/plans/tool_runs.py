"""What the steps of a plan pass to their tools, asked of the tools before anything runs (AD-6, WF-3)."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from orchestrator.adapters.registry import KNOWN
from orchestrator.core.errors import InvalidInput
from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, Reading


def with_refused_runs(reading: Reading, tools: Collection[str]) -> Reading:
    """Returns the reading with a finding for each step whose `Run` its tool would refuse; `tools` are the
    registered ones. What only the repository can show, such as a missing script, is found when the step runs.
    """
    if reading.plan is None:
        return reading
    refused = list(_refused_runs(reading.plan, tools))
    return replace(reading, findings=sort_findings([*reading.findings, *refused])) if refused else reading


def _refused_runs(plan: Plan, tools: Collection[str]) -> Iterator[Finding]:
    for step in plan.steps():
        if refusal := _refusal(step.tool, step.run, tools):
            message = f"{step.key} could not run: {refusal.message}"
            fix = f"Change Run so that {step.tool} takes it, or route the step to nobody."
            yield finding("refused-run", step.line, message, fix)
    lines = [("The plan", plan.verify, 0), *((step.key, step.verify, step.line) for step in plan.steps())]
    for who, line, number in lines:
        name, _, run = line.partition(" ")
        if refusal := _refusal(name, run.strip(), tools):
            message = f"{who} could not be verified: {refusal.message}"
            yield finding("refused-run", number, message, f"Change Verify so that {name} takes it.")


def _refusal(name: str, run: str, tools: Collection[str]) -> InvalidInput | None:
    tool = KNOWN.get(name) if name in tools else None
    try:
        if tool is not None:
            tool.arguments(run)
    except InvalidInput as refusal:
        return refusal
    return None
