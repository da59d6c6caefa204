"""What the steps of a plan pass to their tools, asked of the tools before anything runs (AD-6, WF-3)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from orchestrator.adapters.registry import KNOWN
from orchestrator.core.errors import InvalidInput
from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, Reading


def with_refused_runs(reading: Reading, tools: Collection[str], source: str) -> Reading:
    """Returns the reading with a finding for each `Run` and each `Verify` line that its tool would refuse;
    `tools` are the registered ones, `source` is the text that was read. What only the repository can show,
    such as a missing script, is found when the step runs.
    """
    if reading.plan is None:
        return reading
    refused = [
        *_refused_runs(reading.plan, tools),
        *_refused_verifications(reading.plan, tools, source.splitlines()),
    ]
    return replace(reading, findings=sort_findings([*reading.findings, *refused])) if refused else reading


def _refused_runs(plan: Plan, tools: Collection[str]) -> Iterator[Finding]:
    for step in plan.steps():
        if refusal := _refusal(step.tool, step.run, tools):
            message = f"{step.key} could not run: {refusal.message}"
            fix = f"Change Run so that {step.tool} takes it, or route the step to nobody."
            yield finding("refused-run", step.line, message, fix)


def _refused_verifications(plan: Plan, tools: Collection[str], source: Sequence[str]) -> Iterator[Finding]:
    """A command that can never run is red for ever: nobody who does the step can mend it (BX-9)."""
    lines = [("The plan", plan.verify, 0), *((step.key, step.verify, step.line) for step in plan.steps())]
    for who, line, number in lines:
        name, _, run = line.partition(" ")
        if refusal := _refusal(name, run.strip(), tools):
            message = f"{who} could never be verified: {refusal.message}"
            fix = (
                f"Change Verify so that {name} takes it, or write `Verify: none`. An approver may let such "
                "plans pass by the policy for plan checks."
            )
            yield finding("impossible-verification", _line_of(line, number, source), message, fix)


def _line_of(command: str, start: int, source: Sequence[str]) -> int:
    """The line that names the command, from the line of its step on; that one where no line has its words."""
    for number, text in enumerate(source[max(start - 1, 0) :], max(start, 1)):
        if command in text and "verify" in text.lower():
            return number
    return start


def _refusal(name: str, run: str, tools: Collection[str]) -> InvalidInput | None:
    tool = KNOWN.get(name) if name in tools else None
    try:
        if tool is not None:
            tool.arguments(run)
    except InvalidInput as refusal:
        return refusal
    return None
