"""Why each task stands where it stands (FR-015): what the scheduler recorded, or says on demand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.engine.explain import DROPPED, to_be_launched
from orchestrator.core.engine.schedule import REACHED, Verdict, decide
from orchestrator.core.engine.why import Standing
from orchestrator.core.terms import Reason, WorkstreamStatus
from orchestrator.models import Task, Workstream
from orchestrator.queries.engine.snapshot import Loaded, load_snapshot

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
