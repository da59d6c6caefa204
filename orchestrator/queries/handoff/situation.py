"""The situation of an attempt: all that an act decides from, read in one statement behind its workstream's
lock.

Claiming, completing, failing and signing ask the same things: where the step stands in the plan, who holds
the attempt, whether a blocker is open, what was handed over before. What it costs does not grow with the
plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import (
    ArtifactState,
    AssignmentMode,
    AttemptStatus,
    GateDecision,
    StepKind,
    TaskStatus,
)
from orchestrator.models import (
    Assignment,
    Attempt,
    Batch,
    Executor,
    HandoffArtifact,
    Stage,
    Step,
    Task,
    Thread,
    Workflow,
    WorkflowVersion,
    WorkspaceBranch,
    Workstream,
)
from orchestrator.queries.base.sql import Found, Joined, Table, link
from orchestrator.queries.handoff.upstream import IN_FORCE, Upstream

NOBODY = 0


@dataclass(slots=True)
class Situation:
    """An attempt as it stands, with its task, the task's workstream, and the step's place in the plan.

    `branch` is what the database knows of the workspace's branch. `newest` is the latest artifact of the task
    that is in force, with its sequence, path and digest only; `handed_over` says whether any earlier result
    of the task was. `lost` says that some handover in the workstream is damaged, so that what the task builds
    on has to be looked at. `sole_executor` is the id of the one that alone claims in the thread, `busy_with`
    the id of the attempt that the executor runs alone who was asked about. `names_steps` says of a gate that
    it reviews steps by name, `turned_down` that a rejection of it waits to take effect; `adopts` that the
    state of the plan's source was taken over.
    """

    attempt: Attempt
    assignment: Assignment | None
    branch: WorkspaceBranch
    newest: HandoffArtifact | None
    blocked: bool
    lost: bool
    integrated: bool
    handed_over: bool
    sole_executor: int | None
    busy_with: int | None
    names_steps: bool
    turned_down: bool
    adopts: bool
    _step_before: int | None
    _run_before: bool

    @property
    def task(self) -> Task:
        return self.attempt.task

    @property
    def step(self) -> Step:
        return self.attempt.task.step

    def builds_on(self) -> Sequence[HandoffArtifact]:
        """The newest handover of every step that this one waits for, with sequence, path and digest; what
        stands before it for a skipped one."""
        step, workstream = self.step, self.task.workstream
        if step.run_index and not self._run_before:
            rows = _BEHIND_STEP.rows(step.pk, self._step_before or 0, workstream.pk)
        elif step.run_index:
            rows = _BEHIND_RUN.rows(step.pk, step.thread_id, step.run_index - 1, workstream.pk)
        else:
            rows = _BEHIND_BATCH.rows(step.pk, step.version_id, step.batch_index - 1, workstream.pk)
        if any(row["status"] == TaskStatus.SKIPPED for row in rows):
            return Upstream(workstream).results(step)
        newest: dict[int, HandoffArtifact] = {}
        for row in rows:
            handover: HandoffArtifact | None = row["handover"]
            if handover and (row["task"] not in newest or newest[row["task"]].sequence < handover.sequence):
                newest[row["task"]] = handover
        return list(newest.values())


def situation_of(workstream: Workstream, attempt_id: int, executor_id: int = NOBODY) -> Situation | None:
    """The situation of an attempt of a locked workstream; `executor_id` is who might claim it."""
    found = _OF_ATTEMPT.first(executor_id, attempt_id)
    return _situation(found, workstream) if found else None


def gate_situation(workstream: Workstream, task_id: int) -> Situation | None:
    """The situation of the attempt that waits at a task of a locked workstream; None while none does."""
    found = _WAITING.first(NOBODY, task_id)
    return _situation(found, workstream) if found else None


def _situation(found: Found, workstream: Workstream) -> Situation:
    """The rows know one another, so that nobody asks the database for what is here."""
    task, step, thread, version = found["task"], found["step"], found["thread"], found["version"]
    link(version, "workflow", found["workflow"])
    link(found["batch"], "stage", found["stage"])
    link(thread, "batch", found["batch"])
    link(step, "thread", thread)
    link(step, "version", version)
    if workstream.version_id == version.pk:
        link(workstream, "version", version)
    link(task, "step", step)
    link(task, "workstream", workstream)
    attempt, assignment = found["attempt"], found["assignment"]
    link(attempt, "task", task)
    if assignment is not None:
        link(assignment, "attempt", attempt)
        link(assignment, "executor", found["holder"])
    return Situation(
        attempt=attempt,
        assignment=assignment,
        branch=found["branch"] or WorkspaceBranch(),
        newest=found["newest"],
        blocked=bool(found["blocked"]),
        lost=bool(found["lost"]),
        integrated=bool(found["integrated"]),
        handed_over=bool(found["handed_over"]),
        sole_executor=found["sole_executor"],
        busy_with=found["busy_with"],
        names_steps=bool(found["names_steps"]),
        turned_down=bool(found["turned_down"]),
        adopts=bool(found["adopts"]),
        _step_before=found["step_before"],
        _run_before=bool(found["run_before"]),
    )


def _any_of(words: Iterable[str]) -> str:
    """SQL for a list of words of our own."""
    return ", ".join(f"'{word}'" for word in sorted(words))


_STATES = _any_of(IN_FORCE)
_RESULTS = _any_of(event.value for event in RESULT_EVENTS)
#: Columns of an artifact that a link to it needs.
_LINK = ("sequence", "path", "sha256")

_TABLES = {
    "attempt": Table(Attempt),
    "task": Table(Task),
    "step": Table(Step),
    "thread": Table(Thread),
    "batch": Table(Batch),
    "stage": Table(Stage),
    "version": Table(
        WorkflowVersion, ("workflow_id", "number", "repository", "base_branch", "verify", "budget")
    ),
    "workflow": Table(Workflow),
    "assignment": Table(Assignment),
    "holder": Table(Executor),
    "branch": Table(WorkspaceBranch),
    "newest": Table(HandoffArtifact, _LINK),
}

_PLACE = f"""
JOIN orchestrator_step step ON step.id = task.step_id
JOIN orchestrator_thread thread ON thread.id = step.thread_id
JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
JOIN orchestrator_workflowversion version ON version.id = step.version_id
JOIN orchestrator_workflow workflow ON workflow.id = version.workflow_id
LEFT JOIN orchestrator_assignment assignment ON assignment.attempt_id = attempt.id
LEFT JOIN orchestrator_executor holder ON holder.id = assignment.executor_id
LEFT JOIN orchestrator_workspacebranch branch ON branch.id = {WorkspaceBranch.ONLY}
LEFT JOIN orchestrator_handoffartifact newest ON newest.id = (
  SELECT a.id FROM orchestrator_handoffartifact a JOIN orchestrator_attempt t ON t.id = a.attempt_id
  WHERE t.task_id = task.id AND a.state IN ({_STATES}) ORDER BY a.sequence DESC LIMIT 1)"""

#: The step that stands next before this one in its thread, if it is of the run before this one's.
_BEFORE = """CASE WHEN step.run_index > 0 THEN (
  SELECT earlier.{column} FROM orchestrator_step earlier
  WHERE earlier.thread_id = step.thread_id AND earlier.position < step.position
  AND earlier.run_index = step.run_index - 1 ORDER BY earlier.position DESC LIMIT 1) END"""

_VALUES = {
    "blocked": """EXISTS (SELECT 1 FROM orchestrator_blocker b
  WHERE b.task_id = task.id AND b.resolved_at IS NULL)""",
    "lost": f"""EXISTS (SELECT 1 FROM orchestrator_handoffartifact a
  WHERE a.workstream_id = task.workstream_id AND a.state = '{ArtifactState.DAMAGED.value}')""",
    "integrated": """EXISTS (SELECT 1 FROM orchestrator_baselineintegration i
  WHERE i.workstream_id = task.workstream_id AND i.reverted_at IS NULL)""",
    "handed_over": f"""EXISTS (
  SELECT 1 FROM orchestrator_handoffartifact a JOIN orchestrator_attempt t ON t.id = a.attempt_id
  WHERE t.task_id = task.id AND a.event IN ({_RESULTS}))""",
    "sole_executor": f"""(SELECT kept.executor_id FROM orchestrator_threadassignment kept
  JOIN orchestrator_thread lane ON lane.id = kept.thread_id
  JOIN orchestrator_batch lane_batch ON lane_batch.id = lane.batch_id
  JOIN orchestrator_stage lane_stage ON lane_stage.id = lane_batch.stage_id
  WHERE kept.workstream_id = task.workstream_id AND kept.ended_at IS NULL
  AND kept.mode = '{AssignmentMode.ASSIGNED.value}' AND lane.lane = thread.lane AND lane.slug = thread.slug
  AND lane_batch.slug = batch.slug AND lane_stage.position = stage.position LIMIT 1)""",
    "busy_with": """(SELECT running.attempt_id FROM orchestrator_assignment running
  WHERE running.executor_id = %s AND running.alone AND running.released_at IS NULL LIMIT 1)""",
    # As a value, SQLite works out both sides of an OR: here the whole thread for nothing.
    "names_steps": f"""CASE WHEN EXISTS (SELECT 1 FROM orchestrator_step lane
  WHERE lane.thread_id = step.thread_id AND lane.kind = '{StepKind.WORK.value}') THEN TRUE
  ELSE EXISTS (SELECT 1 FROM orchestrator_stepneed need JOIN orchestrator_step lane ON lane.id = need.step_id
  WHERE lane.thread_id = step.thread_id) END""",
    "turned_down": f"""EXISTS (SELECT 1 FROM orchestrator_gatereview g
  WHERE g.attempt_id = attempt.id AND g.decision = '{GateDecision.REJECTED.value}'
  AND g.withdrawn_at IS NULL)""",
    "adopts": """EXISTS (SELECT 1 FROM orchestrator_workflowversion v
  WHERE v.workstream_id = task.workstream_id AND v.adopts AND v.effective_at IS NOT NULL)""",
    "step_before": _BEFORE.format(column="id"),
    "run_before": _BEFORE.format(column="parallel"),
}

_OF_ATTEMPT = Joined(
    _TABLES,
    f"""orchestrator_attempt attempt JOIN orchestrator_task task ON task.id = attempt.task_id {_PLACE}
WHERE attempt.id = %s""",
    _VALUES,
)
_WAITING = Joined(
    _TABLES,
    f"""orchestrator_task task JOIN orchestrator_attempt attempt
ON attempt.task_id = task.id AND attempt.status = '{AttemptStatus.QUEUED.value}' {_PLACE}
WHERE task.id = %s""",
    _VALUES,
)


def _behind(steps: str) -> Joined:
    """The tasks of what a step needs by name and of other `steps`, with every result in force: a row for
    each. The newest is found afterwards, because a database that knows little of its tables yet looks for it
    through all results of the workstream, once for each task; `CROSS JOIN` has it begin with the steps, where
    left to itself it begins with all tasks of the workstream."""
    return Joined(
        {"handover": Table(HandoffArtifact, _LINK)},
        f"""(SELECT needed_id AS id FROM orchestrator_stepneed WHERE step_id = %s
  UNION SELECT id FROM orchestrator_step WHERE {steps}) ground
CROSS JOIN orchestrator_task task LEFT JOIN orchestrator_attempt attempt ON attempt.task_id = task.id
LEFT JOIN orchestrator_handoffartifact handover ON handover.attempt_id = attempt.id
  AND handover.event IN ({_RESULTS}) AND handover.state IN ({_STATES})
WHERE task.step_id = ground.id AND task.workstream_id = %s
ORDER BY task.id""",
        {"status": "task.status", "task": "task.id"},
    )


_BEHIND_STEP = _behind("id = %s")
_BEHIND_RUN = _behind("thread_id = %s AND run_index = %s")
_BEHIND_BATCH = _behind("version_id = %s AND batch_index = %s")
