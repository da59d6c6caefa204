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
        tool = KNOWN.get(step.tool) if step.tool in tools else None
        if tool is None:
            continue
        try:
            tool.arguments(step.run)
        except InvalidInput as refusal:
            message = f"{step.key} could not run: {refusal.message}"
            fix = f"Change Run so that {step.tool} takes it, or route the step to nobody."
            yield finding("refused-run", step.line, message, fix)
