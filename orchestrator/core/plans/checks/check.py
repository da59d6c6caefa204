"""Can this plan run, and what must its reviewer look at? (AD-1, WF-3, BX-5)

`review_source` is the one entry for whoever has a source; `check_plan` judges a plan value, whichever reader
made it. Blocking findings keep a plan from being approved.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.contention import check_contention
from orchestrator.core.plans.checks.hidden import hidden_in_names, hidden_in_text, hidden_in_values
from orchestrator.core.plans.checks.needs import check_needs
from orchestrator.core.plans.checks.paths import check_paths
from orchestrator.core.plans.checks.shape import check_shape
from orchestrator.core.plans.checks.steps import check_steps
from orchestrator.core.plans.conditions import check_conditions
from orchestrator.core.plans.findings import finding, limited
from orchestrator.core.plans.formats.recognise import READERS, Format, recognise
from orchestrator.core.plans.graph import Graph, compile_graph
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.source import MAX_STEPS, decode_source, too_many_steps
from orchestrator.core.terms import Severity

_RANK: Final = {Severity.BLOCKS: 0, Severity.WARNS: 1, Severity.INFO: 2}


def review_source(source: bytes | str, tools: frozenset[str]) -> Reading:
    """Decode, read and check a PLAN.md; `tools` are the registered ones. Findings: blocking first, then by
    line.

    The plan is None when nothing in the source can be scheduled. Never raises on what a source may hold.
    """
    return _review(source, tools, read_plan)


def review_any(
    source: bytes | str, tools: frozenset[str], wanted: Format | None = None
) -> tuple[Format | None, Reading]:
    """The same for a source in any format that is read here: the one it has, or the wanted one. None: no
    text.
    """
    found: list[Format] = []

    def read(text: str) -> Reading:
        found.append(wanted or recognise(text))
        return READERS[found[0]](text)

    reading = _review(source, tools, read)
    return next(iter(found), None), reading


def _review(source: bytes | str, tools: frozenset[str], read: Callable[[str], Reading]) -> Reading:
    text = decode_source(source)
    if isinstance(text, Finding):
        return Reading(None, (text,))
    reading = read(text)
    found = [*reading.findings, *hidden_in_text(text)]
    if reading.plan is not None:
        found += [*check_plan(reading.plan, tools), *hidden_in_values(reading.plan, text)]
    return Reading(reading.plan, sort_findings(found), reading.progress)


def check_plan(plan: Plan, tools: frozenset[str]) -> tuple[Finding, ...]:
    """Everything that is wrong or remarkable with a plan, sorted."""
    keys = [step.key for step in plan.steps()]
    if not keys:
        return (
            finding("no-step", 0, "The plan has no step, so there is nothing to schedule.", "Add a step."),
        )
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
    """Blocking ones first, then by line; of very many with one code the first are kept and the
    rest counted.
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
