"""Steps that running steps added, and how many more they may (AD-8)."""

from orchestrator.contract.attempts import AddedStep, AdditionFacts
from orchestrator.models import Step, WorkflowVersion


def steps_left(step: Step) -> int:
    """What the plan allows less what was added, by whichever attempt.

    So doing a step again adds nothing more.
    """
    if step.added_by or not step.may_add:
        return 0
    return max(step.may_add - Step.objects.filter(version=step.version_id, added_by=step.key).count(), 0)


def addition_facts(version: WorkflowVersion, keys: tuple[str, ...], left: int) -> AdditionFacts:
    titles = dict(Step.objects.filter(version=version, key__in=keys).values_list("key", "title"))
    return AdditionFacts(version.number, tuple(AddedStep(key, titles[key]) for key in keys), left)
