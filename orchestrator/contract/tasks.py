"""Tasks: lists, one task, and questions to a person (LC-6, FR-015)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from orchestrator.contract.values import Body, Id, Page, Text
from orchestrator.core.terms import AttemptStatus, StepKind, TaskStatus

Choices = Annotated[list[Text], Field(max_length=100)]


class TaskQuery(Page):
    """Which tasks. `claimable=true` keeps those whose attempt can be claimed now."""

    needs_human: bool | None = None
    status: TaskStatus | None = None
    workstream: UUID | None = None
    claimable: bool = False


class TaskChange(Body):
    """Seed 003's flag: true asks a person and needs an intervention note, false clears the flag (LC-6).

    `answer` and `question` as in the answer of a flagged task.
    """

    needs_human: StrictBool
    intervention_note: Text = ""
    choices: Choices = []
    answer: Text = ""
    question: Text = ""


class HumanFlag(Body):
    """A question to a person. With `choices`, two or more, the answer has to be one of them."""

    intervention_note: Text = ""
    choices: Choices = []


class HumanAnswer(Body):
    """The answer to the question of a flagged task.

    `question` is the `intervention_note` that it answers: another one that was asked since is not answered
    with it.
    """

    answer: Text = ""
    question: Text = ""


class Requeue(Body):
    """Why another attempt is worth it. `attempt_id` is the failed one that was read: a later failure is not
    queued again unread."""

    reason: Text
    attempt_id: Id | None = None


@dataclass(frozen=True)
class LiveAttempt:
    """The attempt that is queued or running.

    `executor` holds it, empty while nobody does; `claimed_as` says with which account and as which kind.
    `worktree` and `branch` are where it works, from the commit `base` on; empty without a place.
    """

    id: int
    number: int
    status: AttemptStatus
    executor: str
    claimed_as: str
    worktree: str
    branch: str
    base: str


@dataclass(frozen=True)
class Explanation:
    """Why the task stands where it stands, in the scheduler's words (FR-015)."""

    reason: str
    holder: str
    sentence: str


@dataclass(frozen=True)
class TaskFacts:
    """A step in one workstream. `workstream` is the UUID, `key` names the step in the plan.

    `rework` counts how often a completed result of the task was sent back (FR-021). `proof` says what a
    complete one rests on: `proved` by a run of the orchestrator, or `asserted` (BX-9). `explanation` is there
    unless a later version dropped the task.
    """

    id: int
    key: str
    title: str
    kind: StepKind
    status: TaskStatus
    workstream: UUID
    workstream_slug: str
    needs_human: bool
    intervention_note: str
    breadcrumb: str
    rework: int
    proof: str
    attempt: LiveAttempt | None
    updated_at: datetime
    explanation: Explanation | None = None


@dataclass(frozen=True)
class TaskList:
    """A page of tasks in launch order; `count` is how many there are without the limit."""

    count: int
    items: tuple[TaskFacts, ...]
