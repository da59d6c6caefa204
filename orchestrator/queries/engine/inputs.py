"""What an attempt works from, as a digest, and whether its result is one that already stands
(FR-010, AD-7).
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState
from orchestrator.models import Attempt, HandoffArtifact, Step, Task
from orchestrator.queries.base.canonical import canonical
from orchestrator.queries.engine.facts import Facts
from orchestrator.queries.handoff.upstream import Upstream, output_place, outputs_of, with_output_names

#: States in which a handover can stand for a later attempt: its files are, or will be, where it says.
USABLE = [ArtifactState.PENDING.value, ArtifactState.COMMITTED.value]


def input_digests(tasks: Iterable[Task], upstream: Upstream, facts: Facts) -> dict[int, str]:
    """By task id: the definition of the step, with its template's parameters filled in, and the content of
    what it builds on. What several tasks of a launch build on is read once.

    Attempt numbers and times are no part of it, so a chain that is done again without a change keeps its
    digests.
    """
    contents: dict[int, str] = {}
    digests = {}
    for task in tasks:
        before = upstream.results(task.step)
        for handover in before:
            if handover.pk not in contents:
                contents[handover.pk] = _content(handover, upstream.outputs_of(handover))
        inputs = sorted(contents[handover.pk] for handover in before)
        digests[task.pk] = _digest({"step": _definition(task.step, facts), "upstream": inputs})
    return digests


def standing_result(attempt: Attempt, outputs: Mapping[str, str]) -> Attempt | None:
    """The attempt whose handover says all that this one would say: same inputs, outputs (path to SHA-256),
    commit and result. Words alone are compared too when nothing else is handed over. None when a new artifact
    is due.

    Only the newest result of the task can stand: outputs of older ones have been written over since.
    """
    last = handover_of_same_inputs(attempt)
    if last is None:
        return None
    earlier = last.attempt
    same = (earlier.commit, earlier.result) == (attempt.commit, attempt.result) and outputs_of(last) == dict(
        outputs
    )
    told = bool(outputs or attempt.commit) or earlier.outcome == attempt.outcome
    return earlier if same and told else None


def handover_of_same_inputs(attempt: Attempt) -> HandoffArtifact | None:
    """The newest handover of the attempt's task, when it is usable and worked from the same inputs."""
    handovers = HandoffArtifact.objects.filter(attempt__task=attempt.task_id, event__in=RESULT_EVENTS)
    known = with_output_names(handovers.exclude(state=ArtifactState.QUARANTINED)).select_related("attempt")
    last = known.order_by("-sequence").first()
    if last is None or last.state not in USABLE or not attempt.input_digest:
        return None
    return last if last.attempt.input_digest == attempt.input_digest else None


def outputs_by_name(handover: HandoffArtifact) -> dict[str, bytes]:
    """What was handed over, as whoever hands it over again would name it."""
    task = handover.attempt.task
    folder = output_place(task.workstream, task.step).folder
    stored = handover.outputs.values_list("path", "content")
    return {path.removeprefix(f"{folder}/"): bytes(content) for path, content in stored}


def _definition(step: Step, facts: Facts) -> dict[str, Any]:
    """What the plan says of a step."""
    criteria = sorted(facts.criteria.get(step.pk, ()), key=lambda criterion: criterion[0])
    wanted = [(facts.files, True), (facts.resources, False)]
    resources = [[name, is_files] for names, is_files in wanted for name in names.get(step.pk, ())]
    return {
        "key": step.key,
        "title": step.title,
        "details": step.details,
        "kind": [step.kind, step.gate_kind, step.gate_action],
        "tool": [step.tool, step.run],
        "outcomes": step.outcomes,
        "criteria": [list(criterion) for criterion in criteria],
        "resources": sorted(resources),
    }


def _content(handover: HandoffArtifact, outputs: Mapping[str, str]) -> str:
    """What is handed over. A gate, and a step that hands over words only, pass on what they themselves
    build on."""
    attempt = handover.attempt
    facts: dict[str, Any] = {
        "step": attempt.task.step.key,
        "outputs": dict(outputs),
        "commit": attempt.commit,
    }
    facts["result"] = attempt.result
    if not outputs and not attempt.commit:
        facts["inputs"] = attempt.input_digest
        facts["outcome"] = "" if attempt.task.step.is_gate else attempt.outcome
    return _digest(facts)


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(dict(facts))).hexdigest()
