"""Versions that were approved for a later time become effective when it has come (FR-016, WF-3)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import MigrationImpossible, PlanHasBlockers
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.plans.effect import due_version
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import locked_workstream
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.changes.adoption import adopt_state
from orchestrator.services.changes.migration import first_tasks, put_into_effect
from orchestrator.services.review.gates import sign_as_planned


def take_effect(*, workstream_id: int, now: datetime) -> WorkflowVersion | None:
    """Begin a workstream under the version that is due for it, or migrate it; None when there is none.

    A running step that the version changes or drops is not pre-empted: the version waits for its end, and
    pages say so. Running it again, or late, changes nothing.
    """
    if due_version(workstream_id, now) is None:
        return None
    try:
        with unit_of_work():
            workstream = locked_workstream(workstream_id)
            version = due_version(workstream_id, now)
            if version is None:
                return None
            mapping = tuple(StepMapping.from_data(line) for line in version.mapping)
            begins = workstream.status == WorkstreamStatus.PLANNING
            put_into_effect(version, plan_of(version), workstream, ORCHESTRATOR, now, mapping)
            if begins:
                _record(version, workstream, now)
                _adopt(version, workstream, now)
            sign_as_planned(version=version, workstream=workstream, now=now)
    except (MigrationImpossible, PlanHasBlockers):
        return None
    return version


def _adopt(version: WorkflowVersion, workstream: Workstream, now: datetime) -> None:
    """Whoever approved the version let the state that its source tells be taken over (WF-8)."""
    # Only an approved version is ever due, and it has the one whose approval was the last.
    assert version.decided_by is not None
    adopt_state(
        version=version, workstream=workstream, actor=Actor(version.decided_as, version.decided_by), now=now
    )


def _record(version: WorkflowVersion, workstream: Workstream, now: datetime) -> None:
    """A migration has an entry of its own; this is the one of a first version."""
    added = first_tasks(workstream)
    record(
        workstream=workstream,
        actor=ORCHESTRATOR,
        action=Action.PLAN_TOOK_EFFECT,
        subject=f"version {version.number}",
        reason=version.decision_reason,
        now=now,
        data={
            "sha256": version.source_sha256,
            "version": version.number,
            "tasks": len(added),
            "added": added,
        },
    )
