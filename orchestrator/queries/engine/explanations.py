"""Why each task stands where it stands (FR-015): what the scheduler recorded, or says on demand."""

from dataclasses import replace

from orchestrator.core.engine.explain import to_be_launched
from orchestrator.core.engine.schedule import REACHED, Verdict, decide
from orchestrator.core.terms import Reason
from orchestrator.models import Task, Workstream
from orchestrator.queries.engine.snapshot import load_snapshot

#: Reasons a round records and that stand until the next round; what an attempt does meanwhile is newer than
#: they are.
RECORDED = REACHED - {
    Reason.DIVERGED,
    Reason.LAUNCHED,
    Reason.QUEUED,
    Reason.RUNNING,
    Reason.REVIEW,
    Reason.FAILED,
    Reason.NEEDS_HUMAN,
    Reason.CLOSED,
}


def explain(workstream: Workstream) -> dict[int, Verdict]:
    """A verdict for every task, by task id."""
    loaded = load_snapshot(workstream)
    decision = decide(loaded.snapshot)
    dropped = Task.objects.filter(workstream=workstream).exclude(step__version=workstream.version_id)
    verdicts = {
        task.pk: Verdict(task.step.key, Reason.DONE, "", "cancelled: a later version of the plan dropped it")
        for task in dropped.select_related("step")
    }
    return verdicts | {loaded.tasks[v.key].pk: _recorded(loaded.tasks[v.key], v) for v in decision.verdicts}


def _recorded(task: Task, verdict: Verdict) -> Verdict:
    """The stored verdict of a waiting task on the frontier; what the scheduler says now of every other. One
    that it would launch was not launched yet.
    """
    if verdict.reason is Reason.LAUNCHED:
        return replace(verdict, sentence=to_be_launched(task.step.is_gate))
    stored = task.verdict
    recorded = verdict.frontier and verdict.reason in RECORDED
    if stored is None or not recorded or stored.reason not in RECORDED:
        return verdict
    return Verdict(verdict.key, Reason(stored.reason), stored.holder, stored.sentence)
