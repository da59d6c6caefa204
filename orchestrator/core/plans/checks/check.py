"""Can this plan run, and what must its reviewer look at? (AD-1, WF-3, BX-5)

`check_plan` judges a plan value, whichever reader made it; who has a text calls `read` (`read.py`). Blocking
findings keep a plan from being approved.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.contention import check_contention
from orchestrator.core.plans.checks.hidden import hidden_in_names
from orchestrator.core.plans.checks.needs import check_needs
from orchestrator.core.plans.checks.paths import check_paths
from orchestrator.core.plans.checks.shape import check_shape
from orchestrator.core.plans.checks.steps import check_steps
from orchestrator.core.plans.conditions import check_conditions
from orchestrator.core.plans.findings import finding, limited
from orchestrator.core.plans.graph import Graph, compile_graph
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.text.source import MAX_STEPS, too_many_steps
from orchestrator.core.terms import Severity

_RANK: Final = {Severity.BLOCKS: 0, Severity.WARNS: 1, Severity.INFO: 2}


def check_plan(plan: Plan, tools: frozenset[str]) -> tuple[Finding, ...]:
    """Everything that is wrong or remarkable with a plan, sorted."""
    keys = [step.key for step in plan.steps()]
    if not keys:
        return (
            finding("no-step", 0, "The plan has no step, so there is nothing to schedule.", "Add a step."),
        )
    if all(step.gate is not None for step in plan.steps()):
        message = "The plan has gates and no step, so there is nothing to do and nothing to decide about."
        return (finding("no-step", 0, message, "Add a step."),)
    if len(keys) > MAX_STEPS:
        return (too_many_steps(len(keys)),)
    graph: Graph = compile_graph(plan)
    found = chain(
        _questions(plan),
        check_shape(plan),
        hidden_in_names(plan),
        check_paths(plan),
        check_needs(plan, graph),
        check_steps(plan, tools),
        check_conditions(plan),
        check_contention(plan, graph),
    )
    return sort_findings(found)


def sort_findings(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Blocking ones first, then by line.

    Of very many with one code the first are kept and the rest counted.
    """
    ordered = sorted(found, key=lambda f: (_RANK[f.severity], f.line, f.code))
    return tuple(sorted(dict.fromkeys(limited(ordered)), key=lambda f: (_RANK[f.severity], f.line, f.code)))


def _questions(plan: Plan) -> Iterator[Finding]:
    for question in plan.questions:
        if not question.answered:
            message = f"A question is open: {question.text[:200]}"
            yield finding(
                "unanswered-question", question.line, message, "Answer it in the plan and tick its box."
            )
