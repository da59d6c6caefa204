"""State rebuilt from history: entries folded, in order, into what the tables have to say (FR-009, F23).

Every action that a service records for a workstream stands in `ACTS`; an unknown one is an error, so no new
act can be forgotten. Entries say what became of tasks and attempts, so nothing here decides anything: no
order rule, no lifecycle.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.core.actions import CHANGE_NO_STATE, Action
from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus, WorkstreamStatus

#: How much of the path of an artifact entries say as their subject.
SUBJECT = 300


class Fact(NamedTuple):
    """What replay reads of one history entry."""

    sequence: int
    actor: str
    action: str
    subject: str
    reason: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class TaskState:
    """A task as rows or history say it. `attempts` maps numbers to statuses; `undecided` marks a failure that
    nobody has followed up; `blockers` are the ids of the open ones; `signatures` those of the accounts that
    signed the open gate. Both are nearly always empty, and one empty set serves all of a long history."""

    status: str = TaskStatus.PENDING.value
    attempts: dict[int, str] = field(default_factory=dict)
    undecided: bool = False
    holder: str = ""
    token: int = 0
    blockers: frozenset[int] = frozenset()
    note: str = ""
    breadcrumb: str = ""
    rework: int = 0
    signatures: frozenset[int] = frozenset()


@dataclass(slots=True)
class State:
    """A workstream. `tasks` are those of the version in effect; `dropped` has `key@version` of the others;
    `needs` and `merged_into` name other workstreams by their slugs; `artifacts` has the states of those that
    cannot be used, by path."""

    status: str = WorkstreamStatus.PLANNING.value
    version: int = 0
    reviewed: bool = False
    integrated: bool = False
    needs: set[str] = field(default_factory=set)
    merged_into: str = ""
    tasks: dict[str, TaskState] = field(default_factory=dict)
    dropped: dict[str, TaskState] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)


class Unreadable(Exception):
    """An entry that replay cannot follow: unknown action, or it names what is not there."""

    def __init__(self, fact: Fact, problem: str) -> None:
        super().__init__(f"entry {fact.sequence} ({fact.action}: {fact.subject}): {problem}")
        self.sequence = fact.sequence


#: Words as rows hold them. Asking a member for its value takes longer than what an act does with it.
_ATTEMPT_CANCELLED = AttemptStatus.CANCELLED.value
_ATTEMPT_COMPLETED = AttemptStatus.COMPLETED.value
_ATTEMPT_FAILED = AttemptStatus.FAILED.value
_ATTEMPT_QUEUED = AttemptStatus.QUEUED.value
_ATTEMPT_REJECTED = AttemptStatus.REJECTED.value
_ATTEMPT_RUNNING = AttemptStatus.RUNNING.value
_TASK_ACTIVE = TaskStatus.ACTIVE.value
_TASK_BLOCKED = TaskStatus.BLOCKED.value
_TASK_CANCELLED = TaskStatus.CANCELLED.value
_TASK_COMPLETE = TaskStatus.COMPLETE.value
_TASK_PENDING = TaskStatus.PENDING.value
_TASK_REVIEW = TaskStatus.REVIEW.value
_TASK_SKIPPED = TaskStatus.SKIPPED.value

Act = Callable[[State, Fact], None]


def replay(facts: Iterable[Fact], state: State | None = None) -> State:
    """Fold entries of one workstream, oldest first, into `state` or a new one. Raises Unreadable."""
    state = state or State()
    for fact in facts:
        apply(state, fact)
    return state


def apply(state: State, fact: Fact) -> None:
    """The same of one entry, into a state that is there."""
    act = ACTS.get(fact.action)
    if act is None:
        raise Unreadable(fact, "this release does not know the action")
    try:
        act(state, fact)
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise Unreadable(fact, f"it names what is not there: {problem!r}") from problem


def changes_nothing(action: str) -> bool:
    """Whether entries of this action leave the state as it is, whatever they say."""
    return ACTS.get(action) is _nothing


def _task(state: State, fact: Fact) -> TaskState:
    """The task whose key the entry names."""
    return state.tasks[fact.data["task"]]


def _numbered(state: State, fact: Fact) -> tuple[TaskState, int]:
    """The task that the entry names, and the number of its attempt."""
    task, number = _task(state, fact), fact.data["number"]
    if number not in task.attempts:
        raise ValueError(f"attempt {number}")
    return task, number


def _nothing(_state: State, _fact: Fact) -> None:
    """Changes nothing that is rebuilt here."""


def _plan_approved(state: State, fact: Fact) -> None:
    """A first version that waits for its time changes nothing before it takes effect."""
    if not fact.data.get("waits"):
        _begun(state, fact)


def _begun(state: State, fact: Fact) -> None:
    state.status = WorkstreamStatus.ACTIVE.value
    state.version = fact.data["version"]
    state.tasks |= {key: TaskState() for key in fact.data["added"]}


def _migrated(state: State, fact: Fact) -> None:
    _pass_over(state, fact)
    state.tasks |= {key: TaskState() for key in fact.data["added"]}
    for key, status in fact.data["again"].items():
        task = state.tasks[key]
        task.rework += task.status == TaskStatus.COMPLETE
        task.status, task.undecided = status, False
        _cancel_queued(task)


def _rolled_back(state: State, fact: Fact) -> None:
    _pass_over(state, fact)
    for key, status in fact.data["restored"].items():
        task = state.tasks[key]
        task.rework -= status == TaskStatus.COMPLETE
        task.status, task.undecided = status, key in fact.data["undecided"]
        _cancel_queued(task)


def _pass_over(state: State, fact: Fact) -> None:
    """From the steps of one version to those of another; what goes keeps its place in its own version."""
    before, tasks = state.version, state.tasks
    state.version = fact.data["to"]
    state.tasks = {new: tasks[old] for old, new in fact.data["moved"].items()}
    for key in fact.data["dropped"]:
        task = tasks[key]
        task.status = _TASK_CANCELLED
        _cancel_queued(task)
        state.dropped[f"{key}@{before}"] = task
    for key, status in fact.data["returned"].items():
        state.tasks[key] = state.dropped.pop(f"{key}@{state.version}")
        state.tasks[key].status = status


def _launched(state: State, fact: Fact) -> None:
    for key in fact.data["launched"]:
        task = state.tasks[key]
        task.attempts[max(task.attempts, default=0) + 1] = _ATTEMPT_QUEUED
        task.signatures = frozenset()
        if key in fact.data["gates"]:
            task.status = _TASK_REVIEW


def _steps_added(state: State, fact: Fact) -> None:
    """The migration before it brought the tasks."""
    state.version = fact.data["version"]


def _skipped(state: State, fact: Fact) -> None:
    for key in fact.data["skipped"]:
        state.tasks[key].status = _TASK_SKIPPED


def _claimed(state: State, fact: Fact) -> None:
    task, number = _numbered(state, fact)
    task.attempts[number] = _ATTEMPT_RUNNING
    task.holder, task.token = fact.data["executor"], fact.data["token"]
    task.status = _TASK_ACTIVE


def _breadcrumb(state: State, fact: Fact) -> None:
    _numbered(state, fact)[0].breadcrumb = fact.reason


def _adopted(state: State, fact: Fact) -> None:
    task = _task(state, fact)
    task.status, task.breadcrumb = fact.data["status"], fact.data["breadcrumb"]
    if fact.data["attempt"]:
        task.attempts[1] = _ATTEMPT_COMPLETED
    if fact.data["blocker"]:
        task.blockers |= {fact.data["blocker"]}


def _completed(state: State, fact: Fact) -> None:
    task, number = _numbered(state, fact)
    task.attempts[number] = _ATTEMPT_COMPLETED
    task.holder, task.status = "", _TASK_COMPLETE


def _failed(state: State, fact: Fact) -> None:
    task, number = _numbered(state, fact)
    task.attempts[number] = _ATTEMPT_FAILED
    task.holder, task.status, task.undecided = "", _TASK_BLOCKED, True


def _released(state: State, fact: Fact) -> None:
    task, number = _numbered(state, fact)
    task.attempts[number] = _ATTEMPT_CANCELLED
    task.holder, task.status, task.breadcrumb = "", fact.data["status"], fact.reason


def _requeued(state: State, fact: Fact) -> None:
    task, _ = _numbered(state, fact)
    task.status, task.undecided = fact.data["status"], False


def _gate_approved(state: State, fact: Fact) -> None:
    task, number = _numbered(state, fact)
    task.attempts[number] = _ATTEMPT_COMPLETED
    task.status, task.signatures = _TASK_COMPLETE, frozenset()


def _gate_signed(state: State, fact: Fact) -> None:
    _numbered(state, fact)[0].signatures |= {fact.data["reviewer_id"]}


def _signature_withdrawn(state: State, fact: Fact) -> None:
    _numbered(state, fact)[0].signatures -= {fact.data["reviewer_id"]}


def _gate_rejected(state: State, fact: Fact) -> None:
    task, number = _numbered(state, fact)
    task.attempts[number] = _ATTEMPT_REJECTED
    task.signatures = frozenset()


def _sent_back(state: State, fact: Fact) -> None:
    for key, status in fact.data["became"].items():
        task = state.tasks[key]
        task.rework += task.status == TaskStatus.COMPLETE
        task.status, task.undecided = status, False
        _cancel_queued(task)


def _cancel_queued(task: TaskState) -> None:
    for number, status in task.attempts.items():
        if status == AttemptStatus.QUEUED:
            task.attempts[number] = _ATTEMPT_CANCELLED
            task.signatures = frozenset()


def _blocked(state: State, fact: Fact) -> None:
    task = _task(state, fact)
    task.blockers |= {fact.data["blocker"]}
    task.status = fact.data["status"]


def _unblocked(state: State, fact: Fact) -> None:
    task = _task(state, fact)
    if fact.data["blocker"] not in task.blockers:
        raise ValueError(f"blocker {fact.data['blocker']}")
    task.blockers -= {fact.data["blocker"]}
    task.status = fact.data["status"]


def _flagged(state: State, fact: Fact) -> None:
    _task(state, fact).note = fact.reason.strip()


def _unflagged(state: State, fact: Fact) -> None:
    _task(state, fact).note = ""


def _quarantined(state: State, fact: Fact) -> None:
    state.artifacts[fact.data["artifact"][:SUBJECT]] = ArtifactState.QUARANTINED.value


def _artifact_damaged(state: State, fact: Fact) -> None:
    state.artifacts[fact.subject] = ArtifactState.DAMAGED.value


def _artifact_intact(state: State, fact: Fact) -> None:
    state.artifacts.pop(fact.subject, None)


def _artifact_withdrawn(state: State, fact: Fact) -> None:
    state.artifacts[fact.subject] = ArtifactState.WITHDRAWN.value


def _reviewed(state: State, _fact: Fact) -> None:
    state.reviewed = True


def _accepted(state: State, _fact: Fact) -> None:
    state.status = WorkstreamStatus.COMPLETED.value


def _archived(state: State, fact: Fact) -> None:
    state.status = WorkstreamStatus.ARCHIVED.value
    for key in fact.data["cancelled"]:
        _cancel_queued(state.tasks[key])
    for key in fact.data.get("gates", ()):  # earlier releases left them in review
        state.tasks[key].status = _TASK_PENDING


def _reopened(state: State, _fact: Fact) -> None:
    state.status = WorkstreamStatus.ACTIVE.value


def _needs_changed(state: State, fact: Fact) -> None:
    state.needs = set(fact.data["needs"])


def _duplicate_decided(state: State, fact: Fact) -> None:
    state.merged_into = fact.data.get("merged_into", state.merged_into)
    if "cancelled" in fact.data:
        _archived(state, fact)


def _integrated(state: State, _fact: Fact) -> None:
    state.integrated = True


def _reverted(state: State, _fact: Fact) -> None:
    state.integrated = False


ACTS: Mapping[str, Act] = {
    **dict.fromkeys(CHANGE_NO_STATE, _nothing),
    Action.PLAN_APPROVED: _plan_approved,
    Action.PLAN_TOOK_EFFECT: _begun,
    Action.PREHANDOFF_SIGNED: _reviewed,
    Action.WORKSTREAM_STARTED: _begun,
    Action.WORK_ADOPTED: _adopted,
    Action.WORKSTREAM_MIGRATED: _migrated,
    Action.MIGRATION_ROLLED_BACK: _rolled_back,
    Action.STEPS_LAUNCHED: _launched,
    Action.STEP_SKIPPED: _skipped,
    Action.ATTEMPT_CLAIMED: _claimed,
    Action.BREADCRUMB_LEFT: _breadcrumb,
    Action.STEPS_ADDED: _steps_added,
    Action.ATTEMPT_COMPLETED: _completed,
    Action.STALE_RESULT_QUARANTINED: _quarantined,
    Action.ATTEMPT_FAILED: _failed,
    Action.ATTEMPT_RELEASED: _released,
    Action.TASK_REQUEUED: _requeued,
    Action.GATE_SIGNED: _gate_signed,
    Action.GATE_APPROVED: _gate_approved,
    Action.SIGNATURE_WITHDRAWN: _signature_withdrawn,
    Action.GATE_REJECTED: _gate_rejected,
    Action.WORK_SENT_BACK: _sent_back,
    Action.BASELINE_INTEGRATED: _integrated,
    Action.BASELINE_REVERTED: _reverted,
    Action.BLOCKER_DECLARED: _blocked,
    Action.BLOCKER_RESOLVED: _unblocked,
    Action.FLAGGED_FOR_HUMAN: _flagged,
    Action.INTERVENTION_DONE: _unflagged,
    Action.WORKSTREAM_ACCEPTED: _accepted,
    Action.WORKSTREAM_ARCHIVED: _archived,
    Action.WORKSTREAM_REOPENED: _reopened,
    Action.NEEDS_CHANGED: _needs_changed,
    Action.DUPLICATE_DECIDED: _duplicate_decided,
    Action.ARTIFACT_DAMAGED: _artifact_damaged,
    Action.ARTIFACT_INTACT_AGAIN: _artifact_intact,
    Action.ARTIFACT_PUBLISHED_AGAIN: _artifact_intact,
    Action.ARTIFACT_REPUBLISHED: _artifact_intact,
    Action.ARTIFACT_RESTORED: _artifact_intact,
    Action.ARTIFACT_WITHDRAWN: _artifact_withdrawn,
}
