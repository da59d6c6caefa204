"""Every text of a plan that a parameter may stand in: all but keys, dependencies, outcomes and numbers.

Requirements: AD-8.
"""

from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.plans.plan import BatchSpec, Plan, StageSpec, StepSpec, ThreadSpec


def map_texts(plan: Plan, change: Callable[[str], str]) -> Plan:
    """The same plan with every such text changed; a list stays a list of as many items."""
    return _Texts(change).plan(plan)


class _Texts:
    def __init__(self, change: Callable[[str], str]) -> None:
        self.text = change

    def texts(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.text(value) for value in values)

    def step(self, spec: StepSpec) -> StepSpec:
        gate = spec.gate
        if gate is not None:
            gate = replace(gate, reviewers=self.texts(gate.reviewers), action=self.text(gate.action))
        return replace(
            spec,
            title=self.text(spec.title),
            details=self.text(spec.details),
            role=self.text(spec.role),
            tool=self.text(spec.tool),
            run=self.text(spec.run),
            verify=self.text(spec.verify),
            files=self.texts(spec.files),
            resources=self.texts(spec.resources),
            entry=self.texts(spec.entry),
            exit=self.texts(spec.exit),
            done_when=self.texts(spec.done_when),
            when=self.text(spec.when),
            gate=gate,
        )

    def thread(self, spec: ThreadSpec) -> ThreadSpec:
        return replace(
            spec,
            steps=tuple(self.step(s) for s in spec.steps),
            name=self.text(spec.name),
            summary=self.text(spec.summary),
            role=self.text(spec.role),
            files=self.texts(spec.files),
            worktree=self.text(spec.worktree),
        )

    def batch(self, spec: BatchSpec) -> BatchSpec:
        threads = tuple(self.thread(t) for t in spec.threads)
        return replace(spec, threads=threads, name=self.text(spec.name), summary=self.text(spec.summary))

    def stage(self, spec: StageSpec) -> StageSpec:
        batches = tuple(self.batch(b) for b in spec.batches)
        return replace(
            spec, batches=batches, name=self.text(spec.name), definition=self.text(spec.definition)
        )

    def plan(self, plan: Plan) -> Plan:
        return replace(
            plan,
            stages=tuple(self.stage(s) for s in plan.stages),
            questions=tuple(replace(question, text=self.text(question.text)) for question in plan.questions),
            name=self.text(plan.name),
            summary=self.text(plan.summary),
            domain=self.text(plan.domain),
            owner=self.text(plan.owner),
            repository=self.text(plan.repository),
            base_branch=self.text(plan.base_branch),
            verify=self.text(plan.verify),
            approvers=self.texts(plan.approvers),
        )
