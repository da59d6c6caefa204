"""Steps that running steps added, and how many more they may (AD-8)."""

from dataclasses import dataclass

from orchestrator.models import Step, WorkflowVersion


@dataclass(frozen=True)
class AddedStep:
    key: str
    title: str


@dataclass(frozen=True)
class AdditionFacts:
    """`version` is the number of the version that has the new steps; `left` is how many more the step may
    add.
    """

    version: int
    steps: tuple[AddedStep, ...]
    left: int


def steps_left(step: Step) -> int:
    """What the plan allows less what was added, by whichever attempt; so doing a step again adds nothing
    more.
    """
    if step.added_by or not step.may_add:
        return 0
    return max(step.may_add - Step.objects.filter(version=step.version_id, added_by=step.key).count(), 0)


def addition_facts(version: WorkflowVersion, keys: tuple[str, ...], left: int) -> AdditionFacts:
    titles = dict(Step.objects.filter(version=version, key__in=keys).values_list("key", "title"))
    return AdditionFacts(version.number, tuple(AddedStep(key, titles[key]) for key in keys), left)
