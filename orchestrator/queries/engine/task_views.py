"""Task rows turned into what the scheduler may know of them; the statements do not follow their number."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from orchestrator.core.engine.contention import Claims, own_files
from orchestrator.core.engine.explain import not_committed
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.values import TaskView
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus
from orchestrator.models import HandoffArtifact, Task, Workstream
from orchestrator.queries.engine.conditions import conditions_of, skipped_because
from orchestrator.queries.engine.facts import Facts
from orchestrator.queries.engine.signatures import signers_by_gate
from orchestrator.queries.engine.threads import ThreadPlace, place_of


class Unusable(NamedTuple):
    """Why a handover cannot be used. `damaged` means that it was lost; otherwise it is not committed yet."""

    said: str
    damaged: bool


USABLE = Unusable("", False)


class Views:
    """What the scheduler may know of some tasks. `unusable` says per task why its handover cannot be used,
    `assigned` who alone claims in a thread; `facts` are what the rows say of the tasks."""

    def __init__(
        self,
        workstream: Workstream,
        tasks: Sequence[Task],
        unusable: Mapping[int, Unusable],
        assigned: Mapping[ThreadPlace, str],
        facts: Facts,
    ) -> None:
        self.conditions = conditions_of(workstream, tasks)
        self.unusable, self.assigned, self.facts = unusable, assigned, facts
        gates = [task for task in tasks if task.step.is_gate]
        waiting = [gate.pk for gate in gates if gate.status in {TaskStatus.REVIEW, TaskStatus.BLOCKED}]
        self.signers = signers_by_gate(waiting) if waiting else {}

    def of(self, task: Task) -> TaskView:
        step, thread, facts = task.step, task.step.thread, self.facts
        live = facts.live.get(task.pk)
        running = live is not None and live.status == AttemptStatus.RUNNING
        complete, blocked = task.status == TaskStatus.COMPLETE, task.status == TaskStatus.BLOCKED
        unusable = self.unusable.get(task.pk, USABLE) if complete else USABLE
        return TaskView(
            key=step.key,
            place=Place(thread.batch.stage.position, thread.batch.position, thread.position, step.position),
            status=TaskStatus(task.status),
            gate=step.is_gate,
            parallel=step.parallel,
            needs=_sorted(facts.needs, step.pk),
            claims=claims_of(facts, step.pk, thread.pk, thread.lane, parallel=step.parallel),
            live=live.status if live else None,
            executor=live.executor if live and running else "",
            assigned=self.assigned.get(place_of(thread), ""),
            failure=facts.errors.get(task.pk, "") if blocked else "",
            blocker=facts.blockers.get(task.pk, ""),
            note=task.intervention_note if task.needs_human else "",
            artifact=unusable.said,
            damaged=unusable.damaged,
            reviewers=_sorted(facts.reviewers, step.pk) if step.is_gate else (),
            signatures=step.signatures,
            signers=self.signers.get(task.pk, ()),
            run=step.run_index,
            when=self.conditions.get(task.pk),
            skipped=skipped_because(task),
        )


def claims_of(facts: Facts, step: int, thread: int, lane: str, *, parallel: bool) -> Claims:
    """The files and resources that a step and its thread want."""
    owned = _sorted(facts.owned, thread)
    files = own_files(_sorted(facts.files, step), owned, parallel=parallel)
    return Claims(lane, owned, files, _sorted(facts.resources, step))


def _sorted(groups: Mapping[int, set[str]], of: int) -> tuple[str, ...]:
    return tuple(sorted(groups.get(of, ())))


def unusable_handovers(workstream: Workstream) -> dict[int, Unusable]:
    """Why the latest handover of a complete task cannot be used, by task id; usable ones are left out."""
    return unusable_of([workstream.pk])


def unusable_of(workstreams: Sequence[int]) -> dict[int, Unusable]:
    """The same for several workstreams, in one statement."""
    return {
        task_id: Unusable(problem or not_committed(path), state == ArtifactState.DAMAGED)
        for task_id, problem, path, state in _unusable(workstreams)
    }


def _unusable(workstreams: Sequence[int]) -> list[tuple[int, str, str, str]]:
    results = HandoffArtifact.objects.filter(event__in=RESULT_EVENTS).exclude(state=ArtifactState.QUARANTINED)
    later = results.filter(attempt__task=OuterRef("attempt__task"), sequence__gt=OuterRef("sequence"))
    unusable = [ArtifactState.PENDING, ArtifactState.DAMAGED, ArtifactState.WITHDRAWN]
    rows = HandoffArtifact.objects.filter(
        ~Exists(later),
        workstream__in=workstreams,
        event__in=RESULT_EVENTS,
        state__in=unusable,
        attempt__task__status=TaskStatus.COMPLETE,
    )
    return list(rows.order_by().values_list("attempt__task_id", "problem", "path", "state"))
