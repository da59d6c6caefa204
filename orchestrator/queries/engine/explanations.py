"""Why each task stands where it stands (FR-015): what the scheduler recorded, or says on demand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.engine.explain import DROPPED, to_be_launched
from orchestrator.core.engine.schedule import REACHED, Verdict, decide
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.engine.why import Standing
from orchestrator.core.terms import Reason, WorkstreamStatus
from orchestrator.models import Task, Workstream
from orchestrator.queries.engine.facts import FactScope, facts_of
from orchestrator.queries.engine.ground import ground_of
from orchestrator.queries.engine.snapshot import Loaded, load_snapshot
from orchestrator.queries.engine.task_views import Views

#: Reasons a round records and that stand until the next round; what an act did to the task itself meanwhile
#: is newer than they are.
RECORDED = REACHED - {
    Reason.BLOCKER,
    Reason.DIVERGED,
    Reason.LAUNCHED,
    Reason.QUEUED,
    Reason.RUNNING,
    Reason.REVIEW,
    Reason.FAILED,
    Reason.NEEDS_HUMAN,
    Reason.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A workstream as it was read, with a verdict on each of its tasks, by key. Tasks that a later version
    dropped are not among them."""

    workstream: Workstream
    loaded: Loaded
    verdicts: Mapping[str, Verdict]

    def by_key(self) -> dict[int, Verdict]:
        """By task id, without dropped tasks; no query."""
        return {self.loaded.tasks[key].pk: verdict for key, verdict in self.verdicts.items()}

    def by_task(self) -> dict[int, Verdict]:
        """By task id, dropped tasks as well; one more query."""
        dropped = Task.objects.filter(workstream=self.workstream).exclude(
            step__version=self.workstream.version_id
        )
        verdicts = {
            task.pk: Verdict(task.step.key, Reason.DONE, "", DROPPED)
            for task in dropped.select_related("step")
        }
        return verdicts | self.by_key()

    def standing(self) -> Standing:
        """The workstream as a chain of waiting meets it."""
        snapshot = self.loaded.snapshot
        return Standing(
            self.workstream.slug,
            WorkstreamStatus(self.workstream.status),
            {view.key: view for view in snapshot.tasks},
            self.verdicts,
            snapshot.hold,
        )


def explained(workstream: Workstream, now: datetime | None = None) -> Explained:
    """A fixed number of queries, whatever the size. Without `now` an approved version is in effect."""
    loaded = load_snapshot(workstream, now)
    decision = decide(loaded.snapshot)
    verdicts = {one.key: _recorded(loaded.tasks[one.key], one) for one in decision.verdicts}
    return Explained(workstream, loaded, verdicts)


def explain(workstream: Workstream) -> dict[int, Verdict]:
    """A verdict for every task, by task id."""
    return explained(workstream).by_task()


def explain_one(task: Task) -> Verdict | None:
    """The verdict on one task, by the same rules as for all of them: what its own state decides, such as that
    it runs, without reading the rest of its plan. None for a task that has no part in its workstream."""
    workstream = task.workstream
    ground = ground_of(workstream, None)
    facts = facts_of(FactScope.of([task], workstream))
    view = Views(workstream, [task], ground.unusable, ground.assigned, facts).of(task)
    dropped = task.step.version_id != workstream.version_id
    lost = any(handover.damaged for handover in ground.unusable.values())
    if dropped or lost or not view.stands:
        return explain(workstream).get(task.pk)
    [verdict] = decide(Snapshot((view,), ground.hold)).verdicts
    return _recorded(task, verdict)


def _recorded(task: Task, verdict: Verdict) -> Verdict:
    """The stored verdict of a waiting task on the frontier; what the scheduler says now of every other. One
    that it would launch was not launched yet.
    """
    if verdict.reason is Reason.LAUNCHED:
        return replace(verdict, sentence=to_be_launched(task.step.is_gate))
    if not (verdict.frontier and verdict.reason in RECORDED):
        return verdict
    stored = task.verdict
    if stored is None or stored.reason not in RECORDED:
        return verdict
    return Verdict(verdict.key, Reason(stored.reason), stored.holder, stored.sentence)
