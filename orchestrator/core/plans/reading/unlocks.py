"""What a gate unlocks waits for the gate (BX-3)."""

from dataclasses import replace

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Need, Plan, StepSpec


def with_unlocks(plan: Plan, findings: Findings) -> Plan:
    """`Unlocks: C1` makes C1 wait for the gate, where C1 does not say so itself."""
    wanted: dict[str, list[Need]] = {}
    for step in plan.steps():
        for key in step.gate.unlocks if step.gate else ():
            wanted.setdefault(key, []).append(Need(step.key, step.line, inferred=True))
    if not wanted:
        return plan

    def unlocked(step: StepSpec) -> StepSpec:
        known = {step.key} | {need.key for need in step.needs}
        for need in wanted.get(step.key, ()):
            if need.key not in known:
                known.add(need.key)
                message = f"{step.key} waits for {need.key}, because {need.key} unlocks it."
                findings.add(
                    "inferred-needs", step.line, message, f"Write (needs {need.key}) to make it explicit."
                )
                step = replace(step, needs=(*step.needs, need))
        return step

    return plan.with_steps(unlocked)
