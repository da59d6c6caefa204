"""The rows of a report compared with the history, before anything is signed (FR-009)."""

import json
from collections.abc import Iterable
from typing import Final

from django.db.models import Model, Q

from orchestrator.core.actions import Action
from orchestrator.core.errors import WrongState
from orchestrator.core.replay import Fact, State, Unreadable, replay
from orchestrator.core.state_differences import differences
from orchestrator.models import (
    Assignment,
    Criterion,
    CriterionCheck,
    Executor,
    HistoryEntry,
    Step,
    Task,
    Verification,
    Workstream,
)
from orchestrator.queries.base.covered import BY_MODEL, WITHOUT_RECEIPT
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.spoken import SpokenRows
from orchestrator.queries.base.state import stored_state
from orchestrator.services.sealing.seals import LOOK

#: What acts on other workstreams of the same workflow say of its versions.
OF_VERSIONS: Final = (
    *(Action.PLAN_SUBMITTED, Action.PLAN_SIGNED, Action.PLAN_APPROVED, Action.PLAN_TOOK_EFFECT),
    *(Action.PLAN_SENT_BACK, Action.PLAN_WITHDRAWN, Action.APPROVAL_WITHDRAWN, Action.WORKSTREAM_MIGRATED),
    *(Action.MIGRATION_ROLLED_BACK, Action.DEPENDENCY_DROPPED, Action.STEPS_ADDED),
)


class ReportRows:
    """What the sealed entries say of a workstream and of what its report shows."""

    def __init__(self, workstream: Workstream, size: int) -> None:
        self.workstream, self.spoken, self._rebuilt, self._size = workstream, SpokenRows(), State(), size
        workflow = workstream.version.workflow_id
        of_versions = Q(workstream__version__workflow=workflow, action__in=OF_VERSIONS)
        executors = Q(workstream=None, action=Action.EXECUTOR_REGISTERED)
        entries = HistoryEntry.objects.filter(Q(workstream=workstream) | of_versions | executors)
        for entry in entries.filter(sequence__lte=size).order_by("sequence").iterator(chunk_size=1000):
            self._take_in(entry)
        self.refuse(self.spoken.problem_so_far())

    def _take_in(self, entry: HistoryEntry) -> None:
        read = json.loads(entry.leaf)
        self.refuse(self.spoken.problem_of(entry.sequence, read.get("rows") or {}))
        if entry.workstream_id != self.workstream.pk:
            return
        data = read.get("data") or {}
        fact = Fact(entry.sequence, entry.actor, entry.action, entry.subject, entry.reason, data)
        try:
            self._rebuilt = replay([fact], self._rebuilt)
        except Unreadable as problem:
            self.refuse(problem)

    def refuse(self, problem: object) -> None:
        """WrongState with what differs; nothing where there is no problem. While acts wait for their seal, it
        may be that the tables are newer."""
        if not problem:
            return
        if HistoryEntry.objects.filter(workstream=self.workstream, sequence__gt=self._size).exists():
            raise WrongState(
                "What was done last is not sealed yet, so it cannot be signed.",
                recovery="Wait a second, then ask again.",
            )
        raise WrongState(f"The report would show what was not recorded. {problem}", recovery=LOOK)

    def spoke_of(self, row: Model) -> bool:
        """Whether a sealed entry spoke of the row when it was made."""
        kinds = [part.kind for part in BY_MODEL[type(row)].parts if part.once]
        return all(row.pk in self.spoken.seen(kind) for kind in kinds)

    def compare(self, model: type[Model], keys: Iterable[int | None]) -> None:
        """WrongState where the tables say another thing of these rows than the entries."""
        ids = sorted({one for one in keys if one is not None})
        for part in BY_MODEL[model].parts:
            for some in in_parts(ids):
                for suspect in self.spoken.compared(part.kind, some):
                    self.refuse(self.spoken.breach_of(suspect))

    def compare_state(self) -> None:
        """WrongState where the tables say another state than the entries."""
        for said in differences(self._rebuilt, stored_state(self.workstream)):
            self.refuse(f"{said}.")


def compare_shown(rows: ReportRows, shown: Iterable[Model]) -> None:
    """What a report shows, and what it names of other rows."""
    workstream, by_model = rows.workstream, dict[type[Model], list[int]]()
    for row in (workstream, *shown):
        by_model.setdefault(type(row), []).append(row.pk)
    for model, found in by_model.items():
        rows.compare(model, found)
    tasks = Task.objects.filter(workstream=workstream)
    rows.compare(Task, tasks.values_list("pk", flat=True))
    rows.compare(Step, tasks.values_list("step_id", flat=True))
    checks = CriterionCheck.objects.filter(attempt__task__in=tasks)
    rows.compare(Criterion, checks.values_list("criterion_id", flat=True))
    claims = Assignment.objects.filter(attempt__task__in=tasks)
    rows.compare(Assignment, claims.values_list("pk", flat=True))
    rows.compare(Executor, claims.values_list("executor_id", flat=True))
    receipts = Verification.objects.filter(attempt__task__in=tasks).exclude(state__in=WITHOUT_RECEIPT)
    rows.compare(Verification, receipts.values_list("pk", flat=True))
    rows.compare_state()
