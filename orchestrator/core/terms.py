"""The words of the field, each with one spelling: pages, columns, files and API use them (design 2)."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person or a step is responsible for; each is a Django group (FR-011)."""

    INITIATOR = "initiator"
    CONTRIBUTOR = "contributor"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    OBSERVER = "observer"


class Scope(StrEnum):
    """What a token may be used for; the roles of its account apply on top (design section 7)."""

    READ = "read"
    WORK = "work"
    MANAGE = "manage"


class StageKind(StrEnum):
    NORMAL = "normal"
    FIX = "fix"
    DOCUMENTATION = "documentation"


class StepKind(StrEnum):
    """Who acts: an executor does work, a person decides a gate."""

    WORK = "work"
    GATE = "gate"


class GateKind(StrEnum):
    REVIEW = "review"
    RELEASE = "release"
    EVALUATION = "evaluation"
    MERGE = "merge"


class CriterionKind(StrEnum):
    """Exit is proved at completion, after rework entry too (FR-021); done is the business definition."""

    ENTRY = "entry"
    EXIT = "exit"
    DONE = "done"


class VersionStatus(StrEnum):
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SENT_BACK = "sent_back"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class WorkstreamStatus(StrEnum):
    PLANNING = "planning"
    ACTIVE = "active"
    COMPLETED = "completed"
    ARCHIVED = "archived"


#: Of a workstream whose plan and tasks may still change.
OPEN_WORKSTREAM: Final = frozenset({WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE})


class TaskStatus(StrEnum):
    """Seed 000's list (WF-8), plus skipped (condition false) and cancelled (dropped by a migration)."""

    PENDING = "pending"
    ACTIVE = "active"
    BLOCKED = "blocked"
    REVIEW = "review"
    COMPLETE = "complete"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


#: A task in one of these states needs nothing more; what waits for it may go on.
TERMINAL_TASK: Final = frozenset({TaskStatus.COMPLETE, TaskStatus.SKIPPED, TaskStatus.CANCELLED})
OPEN_TASK: Final = frozenset(TaskStatus) - TERMINAL_TASK
#: What counts as done wherever tasks are counted, and what is counted at all, gates among them (LC-1).
DONE_TASK: Final = frozenset({TaskStatus.COMPLETE, TaskStatus.SKIPPED})
COUNTED_TASK: Final = OPEN_TASK | DONE_TASK


class AttemptStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


LIVE_ATTEMPT: Final = frozenset({AttemptStatus.QUEUED, AttemptStatus.RUNNING})


class VerificationState(StrEnum):
    """Of a completion (BX-9). `refused` is red, or green behind what could not count any more; `late` ended
    when its attempt was no longer held."""

    PENDING = "pending"
    PROVED = "proved"
    REFUSED = "refused"
    LATE = "late"


class PlaceState(StrEnum):
    """How far the place of an attempt is: its worktree and branch (BX-1).

    `conflict` stands in the middle of a merge that whoever holds the attempt resolves; `removed` was taken
    away when nobody needed it any more.
    """

    READY = "ready"
    CONFLICT = "conflict"
    FAILED = "failed"
    REMOVED = "removed"


class ExecutorKind(StrEnum):
    PERSON = "person"
    AGENT = "agent"
    TOOL = "tool"


class GateDecision(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"


class BlockerKind(StrEnum):
    """Classes a declared impediment can have (FR-012)."""

    EXTERNAL = "external"
    DECISION = "decision"
    RESOURCE = "resource"
    DEFECT = "defect"
    OTHER = "other"


class InterventionKind(StrEnum):
    """What made a task ask for a person, such as the circuit breaker or an executor that is not heard."""

    QUESTION = "question"
    BREAKER = "breaker"
    ARTIFACT = "artifact"
    SILENCE = "silence"
    BUDGET = "budget"
    PLAN_BUDGET = "plan-budget"


class DuplicateOutcome(StrEnum):
    """What the pre-handoff review decides about a suspected duplicate (FR-003, EC-5)."""

    MERGE = "merge"
    LINK = "link"
    CLOSE = "close"
    OVERRIDE = "override"


class IntegrationSource(StrEnum):
    """How a baseline integration became known (FR-010)."""

    PERSON = "person"
    API = "api"
    REPOSITORY = "repository"


class MappingKind(StrEnum):
    """What a migration does to a step of work in flight (FR-016, EC-4)."""

    SAME = "same"
    RENAMED = "renamed"
    SPLIT = "split"
    MERGED = "merged"
    DROPPED = "dropped"
    ADDED = "added"


class MappedOutcome(StrEnum):
    """What a migration makes of one task: the verdict of a dry run, and what applying it does (FR-016)."""

    KEPT = "kept"
    RENAMED = "renamed"
    AGAIN = "again"
    CANCELLED = "cancelled"
    ADDED = "added"
    REFUSED = "refused"


class AssignmentMode(StrEnum):
    """A thread's executor: `assigned` alone claims there, `preferred` is offered its work first (WF-4)."""

    ASSIGNED = "assigned"
    PREFERRED = "preferred"


class ResultFileState(StrEnum):
    """What the collector made of a file that a producer committed itself (FR-029)."""

    INGESTED = "ingested"
    QUARANTINED = "quarantined"


class ResultEvent(StrEnum):
    """What a producer's own file may say of its attempt (FR-029); the first two are artifact events, the last
    one asks for an attempt (FR-014)."""

    COMPLETED = "attempt-completed"
    FAILED = "attempt-failed"
    BREADCRUMB = "breadcrumb"
    CLAIM = "claim"


class EventType(StrEnum):
    """What a handoff artifact announces (FR-014)."""

    ATTEMPT_QUEUED = "attempt-queued"
    ATTEMPT_STARTED = "attempt-started"
    ATTEMPT_COMPLETED = "attempt-completed"
    ATTEMPT_FAILED = "attempt-failed"
    ATTEMPT_REJECTED = "attempt-rejected"
    GATE_APPROVED = "gate-approved"
    GATE_REJECTED = "gate-rejected"
    REWORK_REQUESTED = "rework-requested"
    BASELINE_INTEGRATION = "baseline-integration"
    BASELINE_REVERTED = "baseline-reverted"


class ArtifactState(StrEnum):
    """Where an artifact is on its way to the workspace; `damaged` blocks its successors (EC-3)."""

    PENDING = "pending"
    COMMITTED = "committed"
    DAMAGED = "damaged"
    WITHDRAWN = "withdrawn"
    QUARANTINED = "quarantined"


class Divergence(StrEnum):
    """How database and workspace can have come apart (F22 to F24)."""

    DATABASE_OLDER = "database-older"
    WORKSPACE_OLDER = "workspace-older"
    REWRITTEN = "rewritten"
    SEALS_NEWER = "seals-newer"


class Settlement(StrEnum):
    """What a person can decide about a divergence."""

    SET_BACK = "set-back"
    REPUBLISH = "republish"


class Reason(StrEnum):
    """Why a task may start or not: the first rule of design section 3 that fails, in that order."""

    DIVERGED = "workspace-diverged"
    PLAN_NOT_APPROVED = "plan-not-approved"
    NOT_EFFECTIVE = "not-effective"
    PREHANDOFF = "pre-handoff-review"
    WORKSTREAM_DEPENDENCY = "workstream-dependency"
    BUDGET = "budget"
    DEPENDENCY = "dependency"
    ARTIFACT = "artifact"
    GATE = "gate"
    CONDITION = "condition"
    BLOCKER = "blocker"
    THREAD = "thread"
    RESOURCE = "resource"
    LAUNCHED = "launched"
    QUEUED = "queued"
    RUNNING = "running"
    REVIEW = "review"
    NEEDS_HUMAN = "needs-human"
    FAILED = "failed"
    DONE = "done"
    CLOSED = "workstream-closed"


class RootKind(StrEnum):
    """What a chain of waiting ends at: what somebody can free, and what goes on by itself (FR-015)."""

    QUESTION = "question"
    FAILURE = "failure"
    BLOCKER = "blocker"
    ARTIFACT = "artifact"
    GATE = "gate"
    UNCLAIMED = "unclaimed"
    RUNNING = "running"
    WRITING = "writing"
    PLAN = "plan-not-approved"
    NOT_EFFECTIVE = "not-effective"
    PREHANDOFF = "pre-handoff-review"
    BUDGET = "budget"
    DIVERGENCE = "workspace-diverged"
    ACCEPTANCE = "acceptance"
    ARCHIVED = "archived"
    CONDITION = "condition"
    CIRCLE = "circle"
    ROUND = "next-round"
    NOTHING = "nothing"


class Lifecycle(StrEnum):
    """What the portfolio shows of a workstream; finished and accepted are derived (LC-1)."""

    PLANNING = "planning"
    ACTIVE = "active"
    FINISHED = "finished"
    ACCEPTED = "accepted"
    ARCHIVED = "archived"


class Signal(StrEnum):
    """Attention signals, orthogonal to the lifecycle (LC-2)."""

    BLOCKED = "blocked"
    STALLED = "stalled"
    OLDIES = "oldies"


class FlowState(StrEnum):
    """What an interval of a workstream says: the first five follow one another, one at a time; the others
    hold beside `started` (FR-013)."""

    PLANNED = "planned"
    STARTED = "started"
    FINISHED = "finished"
    ACCEPTED = "accepted"
    ARCHIVED = "archived"
    ACTIVE = "active"
    BLOCKED = "blocked"
    REWORK = "rework"


class TimeWindow(StrEnum):
    """The seven time filters of LC-4."""

    LAST_HOUR = "1h"
    LAST_DAY = "24h"
    LAST_WEEK = "7d"
    LAST_MONTH = "30d"
    TODAY = "today"
    THIS_WEEK = "week"
    THIS_MONTH = "month"


class SearchKind(StrEnum):
    """What can be found by its words, what people look for most first."""

    WORKSTREAM = "workstream"
    PLAN = "plan"
    TASK = "task"
    DISCUSSION = "discussion"
    LEARNING = "learning"
    ARTIFACT = "artifact"
    HISTORY = "history"


class Format(StrEnum):
    """How a text says a plan; `--format` takes these words (AD-5)."""

    PLAN = "plan"
    SPEC_KIT = "spec-kit"
    TASK_MASTER = "task-master"
    BEADS = "beads"
    BACKLOG = "backlog"
    BUNDLE_WS = "bundle-ws"
    TASKS = "tasks"
    TASKS_MD = "tasks-md"
    PLAN_FILE = "plan-file"
    FOLDER = "folder"
    TODO = "to-do"
    YAML = "yaml"
    GSD = "get-shit-done"
    SPEC_KITTY = "spec-kitty"
    SUPERPOWERS = "superpowers"
    CONDUCTOR = "conductor"
    KIRO = "kiro"
    OPENSPEC = "openspec"
    PLAN_MODE = "plan-mode"
    LIST = "list"
    LIST_FINE = "list-fine"


class Severity(StrEnum):
    """What a finding does to approval."""

    BLOCKS = "blocks"
    WARNS = "warns"
    INFO = "info"
