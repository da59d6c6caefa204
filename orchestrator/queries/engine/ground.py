"""What all verdicts about a workstream rest on beside its tasks, read in one statement; what is rarely there
is read only where it is (design section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.engine.values import Hold
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState, AssignmentMode, WorkstreamStatus
from orchestrator.models import ThreadAssignment, Workflow, WorkflowVersion, Workstream
from orchestrator.queries.base.sql import Found, Joined, Table
from orchestrator.queries.engine.holds import Holding, hold_on
from orchestrator.queries.engine.task_views import Unusable, unusable_handovers
from orchestrator.queries.engine.threads import ThreadPlace, assignments_in_force


@dataclass(frozen=True, slots=True)
class Ground:
    """`here` is the first open batch, None when nothing is open. `stopped`: all work is, because database and
    workspace do not belong together. `hold` holds all of the workstream. `needed`: others wait for it.
    `unusable` says by task id why a handover cannot be used. `kept` are the thread assignments in force.
    `integrated`: the work became part of the base branch; `conditional`: a step of the first open batch has a
    condition."""

    here: int | None
    stopped: bool
    hold: Hold | None
    needed: bool
    unusable: Mapping[int, Unusable]
    kept: Mapping[ThreadPlace, ThreadAssignment]
    integrated: bool
    conditional: bool

    @property
    def assigned(self) -> dict[ThreadPlace, str]:
        """Who alone claims in a thread, with account and kind."""
        return {
            place: row.executor.label
            for place, row in self.kept.items()
            if row.mode == AssignmentMode.ASSIGNED
        }


def ground_of(workstream: Workstream, now: datetime | None) -> Ground:
    """The ground as it is now; without `now` a version that was approved counts as effective."""
    return _ground(workstream, now, _GROUND.rows(workstream.pk)[0])


def ground_and_version(workstream: Workstream, now: datetime) -> Ground:
    """The ground of a locked workstream, which is given the version in effect with its workflow; without the
    text, which may be megabytes and is seldom asked for."""
    found = _GROUND_AND_VERSION.rows(workstream.pk)[0]
    version: WorkflowVersion = found["version"]
    version.workflow = found["workflow"]
    workstream.version = version
    return _ground(workstream, now, found)


def _ground(workstream: Workstream, now: datetime | None, found: Found) -> Ground:
    return Ground(
        here=found["here"],
        stopped=bool(found["stopped"]),
        needed=bool(found["needed"]),
        hold=hold_on(workstream, now, Holding(found["stopped"], found["reviewed"], found["unmet"])),
        unusable=unusable_handovers(workstream) if found["unusable"] else {},
        kept=assignments_in_force(workstream) if found["kept"] else {},
        integrated=bool(found["integrated"]),
        conditional=bool(found["conditional"]),
    )


_HERE = """(SELECT MIN(lowest.open_batch) FROM orchestrator_task lowest
  WHERE lowest.workstream_id = workstream.id AND lowest.open_batch IS NOT NULL)"""
_RESULTS = ", ".join(f"'{event.value}'" for event in sorted(RESULT_EVENTS))
_LOST = ", ".join(
    f"'{state.value}'" for state in (ArtifactState.PENDING, ArtifactState.DAMAGED, ArtifactState.WITHDRAWN)
)
_VALUES = {
    "here": _HERE,
    "stopped": "EXISTS (SELECT 1 FROM orchestrator_workspacebranch b WHERE b.diverged_at IS NOT NULL)",
    "needed": "EXISTS (SELECT 1 FROM orchestrator_workstreamneed w WHERE w.needed_id = workstream.id)",
    "reviewed": """EXISTS (SELECT 1 FROM orchestrator_prehandoffreview r
  WHERE r.workstream_id = workstream.id)""",
    "unmet": f"""EXISTS (SELECT 1 FROM orchestrator_workstreamneed n
  JOIN orchestrator_workstream needed ON needed.id = n.needed_id
  WHERE n.workstream_id = workstream.id AND n.dropped_at IS NULL
  AND needed.status <> '{WorkstreamStatus.COMPLETED.value}')""",
    "unusable": f"""EXISTS (SELECT 1 FROM orchestrator_handoffartifact a
  WHERE a.workstream_id = workstream.id AND a.state IN ({_LOST}) AND a.event IN ({_RESULTS}))""",
    "kept": """EXISTS (SELECT 1 FROM orchestrator_threadassignment k
  WHERE k.workstream_id = workstream.id AND k.ended_at IS NULL)""",
    "integrated": """EXISTS (SELECT 1 FROM orchestrator_baselineintegration i
  WHERE i.workstream_id = workstream.id AND i.reverted_at IS NULL)""",
    "conditional": f"""EXISTS (SELECT 1 FROM orchestrator_step s
  WHERE s.version_id = workstream.version_id AND s.batch_index = {_HERE} AND s.condition > '')""",
}
_GROUND = Joined({}, "orchestrator_workstream workstream WHERE workstream.id = %s", _VALUES)
#: The columns of a version but for its text, which may be megabytes and is seldom asked for.
WITHOUT_TEXT = tuple(
    field.attname for field in WorkflowVersion._meta.concrete_fields if field.attname != "source"
)
_GROUND_AND_VERSION = Joined(
    {"version": Table(WorkflowVersion, WITHOUT_TEXT), "workflow": Table(Workflow)},
    """orchestrator_workstream workstream
JOIN orchestrator_workflowversion version ON version.id = workstream.version_id
JOIN orchestrator_workflow workflow ON workflow.id = version.workflow_id
WHERE workstream.id = %s""",
    _VALUES,
)
