"""What few workstreams have, asked in one statement: a page reads only what is there (DC-5)."""

from typing import NamedTuple

from orchestrator.core.terms import OPEN_TASK, ArtifactState, AttemptStatus, DuplicateOutcome, VersionStatus
from orchestrator.models import Task, Workstream
from orchestrator.queries.base.sql import Joined


class WorkstreamParts(NamedTuple):
    """Each is whether a workstream has any.

    `needs`: workstreams it waits for, dropped needs too; `ties`: decisions about duplicates that tie it to
    another one; `taken_over`: workstreams merged into it; `transfers`: of itself to another
    owner; `questions`: open ones; `blockers`: open or resolved; `files`: artifacts that are lost or not yet
    committed; `undecided` and `promised`: versions that wait for a decision or for their time; `newer`: later
    versions of its workflow that were approved; `dropped`: tasks of steps that a later version dropped;
    `proved`: criteria of open tasks that were proved before.
    """

    needs: bool
    ties: bool
    taken_over: bool
    transfers: bool
    questions: bool
    blockers: bool
    files: bool
    undecided: bool
    promised: bool
    newer: bool
    migrations: bool
    integrations: bool
    learnings: bool
    used: bool
    dropped: bool
    proved: bool


class TaskParts(NamedTuple):
    """Each is whether a task has any.

    `ended`: attempts that are over; `artifacts`, `blockers`, `questions`, `transfers`: of any time;
    `dropped`: its workstream has tasks of steps that a later version dropped.
    """

    ended: bool
    artifacts: bool
    blockers: bool
    questions: bool
    transfers: bool
    dropped: bool


class BriefParts(NamedTuple):
    """Each is whether a brief has any to tell.

    `ended` and `completed`: attempts at the task; `questions` at it, of any time; `learnings` of its
    workstream; `taken_over`: workstreams merged into that.
    """

    ended: bool
    completed: bool
    questions: bool
    learnings: bool
    taken_over: bool


def present_in_brief(task: Task) -> BriefParts:
    """One statement."""
    found = _PRESENT_IN_BRIEF.rows(task.pk)[0]
    return BriefParts(**{name: bool(value) for name, value in found.items()})


def present_of(task: Task) -> TaskParts:
    """One statement."""
    found = _PRESENT_OF_TASK.rows(task.pk)[0]
    return TaskParts(**{name: bool(value) for name, value in found.items()})


def present_in(workstream: Workstream) -> WorkstreamParts:
    """One statement, whatever the size."""
    found = _PRESENT.rows(workstream.pk)[0]
    return WorkstreamParts(**{name: bool(value) for name, value in found.items()})


def _of(table: str, condition: str = "") -> str:
    """Whether the table has a row of the workstream."""
    return f"EXISTS (SELECT 1 FROM orchestrator_{table} r WHERE r.workstream_id = workstream.id{condition})"


def _of_tasks(table: str, condition: str = "") -> str:
    """Whether the table has a row of one of its tasks."""
    return f"""EXISTS (SELECT 1 FROM orchestrator_task t JOIN orchestrator_{table} r ON r.task_id = t.id
  WHERE t.workstream_id = workstream.id{condition})"""


_TAKEN_OVER = """EXISTS (SELECT 1 FROM orchestrator_workstream o
  WHERE o.merged_into_id = workstream.id)"""
_DROPPED = """EXISTS (SELECT 1 FROM orchestrator_task t JOIN orchestrator_step s ON s.id = t.step_id
  WHERE t.workstream_id = workstream.id AND s.version_id <> workstream.version_id)"""
_OPEN = ", ".join(f"'{status.value}'" for status in sorted(OPEN_TASK))
_WAITING = f"'{ArtifactState.DAMAGED.value}', '{ArtifactState.PENDING.value}'"
_APPROVED = f"'{VersionStatus.APPROVED.value}'"
_PRESENT = Joined(
    {},
    """orchestrator_workstream workstream
JOIN orchestrator_workflowversion version ON version.id = workstream.version_id
WHERE workstream.id = %s""",
    {
        "needs": _of("workstreamneed"),
        "ties": f"""EXISTS (SELECT 1 FROM orchestrator_duplicatedecision d
  WHERE (d.workstream_id = workstream.id OR d.other_id = workstream.id)
  AND d.outcome <> '{DuplicateOutcome.OVERRIDE.value}')""",
        "taken_over": _TAKEN_OVER,
        "transfers": _of("ownershiptransfer", " AND r.task_id IS NULL AND r.blocker_id IS NULL"),
        "questions": _of_tasks("intervention", " AND r.cleared_at IS NULL"),
        "blockers": _of_tasks("blocker"),
        "files": _of("handoffartifact", f" AND r.state IN ({_WAITING})"),
        "undecided": _of("workflowversion", f" AND r.status = '{VersionStatus.IN_REVIEW.value}'"),
        "promised": f"""EXISTS (SELECT 1 FROM orchestrator_workflowversion v
  WHERE v.workstream_id = workstream.id AND v.status = {_APPROVED}
  AND NOT EXISTS (SELECT 1 FROM orchestrator_stage s WHERE s.version_id = v.id))""",
        "newer": f"""EXISTS (SELECT 1 FROM orchestrator_workflowversion v
  WHERE v.workflow_id = version.workflow_id AND v.status = {_APPROVED} AND v.number > version.number)""",
        "migrations": _of("migration"),
        "integrations": _of("baselineintegration"),
        "learnings": _of("learning"),
        "used": _of_tasks(
            "attempt",
            " AND (r.tokens_in > 0 OR r.tokens_out > 0 OR r.cost_micros > 0 OR r.model_seconds > 0)",
        ),
        "dropped": _DROPPED,
        "proved": f"""EXISTS (SELECT 1 FROM orchestrator_task t
  JOIN orchestrator_attempt a ON a.task_id = t.id
  JOIN orchestrator_criterioncheck c ON c.attempt_id = a.id
  WHERE t.workstream_id = workstream.id AND t.status IN ({_OPEN}))""",
    },
)
_OWN = "EXISTS (SELECT 1 FROM orchestrator_{} r WHERE r.task_id = task.id{})"
_OF_TASK = """orchestrator_task task
JOIN orchestrator_workstream workstream ON workstream.id = task.workstream_id WHERE task.id = %s"""
_PRESENT_OF_TASK = Joined(
    {},
    _OF_TASK,
    {
        "ended": _OWN.format("attempt", " AND r.ended_at IS NOT NULL"),
        "artifacts": """EXISTS (SELECT 1 FROM orchestrator_attempt a
  JOIN orchestrator_handoffartifact h ON h.attempt_id = a.id WHERE a.task_id = task.id)""",
        "blockers": _OWN.format("blocker", ""),
        "questions": _OWN.format("intervention", ""),
        "transfers": _OWN.format("ownershiptransfer", " AND r.blocker_id IS NULL"),
        "dropped": _DROPPED,
    },
)
_PRESENT_IN_BRIEF = Joined(
    {},
    _OF_TASK,
    {
        "ended": _OWN.format("attempt", " AND r.ended_at IS NOT NULL"),
        "completed": _OWN.format("attempt", f" AND r.status = '{AttemptStatus.COMPLETED.value}'"),
        "questions": _OWN.format("intervention", ""),
        "learnings": _of("learning"),
        "taken_over": _TAKEN_OVER,
    },
)
