"""What the history says of every table, one declaration each (FR-009).

Each column is in a part that entries speak of, or is made again from something else, or is named with the
reason why nothing is decided by it. `tests/architecture/test_coverage.py` refuses a column that is neither.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import Model, QuerySet

from orchestrator.core.terms import VerificationState
from orchestrator.models import (
    AccessToken,
    Approval,
    Assignment,
    Attempt,
    BaselineIntegration,
    Batch,
    Blocker,
    Bundle,
    CheckRule,
    Comment,
    Criterion,
    CriterionCheck,
    Discussion,
    DuplicateDecision,
    Executor,
    GateReview,
    GateReviewer,
    HandoffArtifact,
    Intervention,
    InterventionChoice,
    Learning,
    MappedStep,
    Migration,
    OutputFile,
    OwnedFiles,
    OwnershipTransfer,
    Policy,
    PolicyChange,
    PreHandoffReview,
    SavedWorkflow,
    SavedWorkflowVersion,
    Stage,
    Step,
    StepNeed,
    StepResource,
    Task,
    Thread,
    ThreadAssignment,
    TouchedFile,
    Verification,
    Workflow,
    WorkflowVersion,
    Workstream,
    WorkstreamNeed,
)
from orchestrator.queries.base.parts_of_rows import Coverage, RowPart

Rows = QuerySet[Any]
REPLAYED: Final = "replayed from the entries of the workstream"
REBUILT: Final = "counted again from tasks, attempts and entries: manage.py rebuild"
WITHOUT_RECEIPT: Final = (VerificationState.PENDING.value, VerificationState.LATE.value)
WRITTEN: Final = "when the row was written last; each act has its time in its entry"


def _of(
    model: type[Model],
    once: tuple[str, str] | None,
    *later: tuple[str, str],
    derived: Mapping[str, str] | None = None,
    apart: Mapping[str, str] | None = None,
    which: Callable[[Rows], Rows] | None = None,
) -> Coverage:
    """`once` and each of `later` are a word and the columns."""
    parts = [RowPart(once[0], model, once[1], once=True, which=which)] if once else []
    parts += [RowPart(kind, model, columns, once=False) for kind, columns in later]
    return Coverage(model, tuple(parts), _each(derived or {}), _each(apart or {}))


def _each(reasons: Mapping[str, str]) -> dict[str, str]:
    return {column: reason for columns, reason in reasons.items() for column in columns.split()}


def _run(rows: Rows) -> Rows:
    """Receipts: what is still to be run says nothing yet."""
    return rows.exclude(state__in=WITHOUT_RECEIPT)


def _sent(rows: Rows) -> Rows:
    """Drafts are their author's alone."""
    return rows.filter(sent_at__isnull=False)


def _opened(rows: Rows) -> Rows:
    return rows.filter(comments__sent_at__isnull=False).distinct()


_PLANS = (
    _of(
        Workflow,
        ("workflow", "slug created_at created_by_id"),
        (
            "rules of the workflow",
            "name domain allow_self_approval required_approvals demands_proof proof_roles proof_paths",
        ),
    ),
    _of(
        WorkflowVersion,
        (
            "version",
            "workflow_id number source format source_name source_sha256 adopts dropped_needs summary "
            "steps_planned open_questions repository base_branch verify budget silence_minutes author_id "
            "submitted_as submitted_at change_reason change_impact wanted_effective_at started_from "
            "started_from_number origin origin_name",
        ),
        ("state of the version", "status"),
        ("decision about the version", "decided_by_id decided_as decided_at decision_reason effective_at"),
        ("mapping of the version", "mapping"),
        ("signature given ahead with the version", "signs_gate"),
        ("workstream of the version", "workstream_id"),
    ),
    _of(
        Approval,
        ("approval", "version_id sha256 person_id signed_as note signed_at"),
        ("end of the approval", "withdrawn_at"),
    ),
    _of(Bundle, ("bundle", "name submitted_by_id submitted_as submitted_at")),
    _of(
        CheckRule,
        None,
        ("rule of the plan checks", "code severity changed_by_id changed_as changed_at reason"),
    ),
    _of(
        Discussion,
        ("discussion", "version_id line step opened_by_id opened_at"),
        ("end of the discussion", "resolved_by_id resolved_as resolved_at"),
        which=_opened,
    ),
    _of(
        Comment,
        ("comment", "discussion_id author_id said_as body written_at sent_at"),
        apart={"discarded_at": "drafts that were thrown away; what was sent is not"},
        which=_sent,
    ),
    _of(
        SavedWorkflow,
        ("saved workflow", "slug name created_at created_by_id"),
        ("place of the saved workflow", "archived_at"),
    ),
    _of(
        SavedWorkflowVersion,
        (
            "version of the saved workflow",
            "workflow_id number source source_sha256 description plan_id saved_by_id saved_as saved_at "
            "reason",
        ),
    ),
    _of(Stage, ("stage", "version_id position number name slug kind definition")),
    _of(Batch, ("batch", "stage_id position prefix name slug")),
    _of(Thread, ("thread", "batch_id position lane name slug owner_role worktree")),
    _of(OwnedFiles, ("files of the thread", "thread_id pattern")),
    _of(
        Step,
        (
            "step",
            "version_id thread_id position batch_index run_index key title details kind gate_kind "
            "gate_action role tool run verify gate_verify budget parallel condition estimate signatures "
            "outcomes max_attempts may_add added_by line behind",
        ),
    ),
    _of(StepNeed, ("dependency", "step_id needed_id inferred")),
    _of(Criterion, ("criterion", "step_id kind position text")),
    _of(StepResource, ("resource of the step", "step_id name is_files")),
    _of(GateReviewer, ("reviewer of the gate", "step_id name")),
)
_WORK = (
    _of(
        Task,
        ("task", "workstream_id created_at"),
        ("owner of the task", "owner_id"),
        ("budget of the task", "budget"),
        ("proof of the task", "proof"),
        ("forgiven failures of the task", "forgiven"),
        derived={
            "step_id status breadcrumb needs_human intervention_note last_token rework": REPLAYED,
            "batch_index thread_id run_index position": "the place of its step",
            "open_batch": "the database, from status and place",
        },
        apart={
            "heard_at": "when its executor was heard last, which asks a person and ends nothing",
            "verdict_id due standing": "what the next round looks at; it says the same again without it",
            "updated_at": WRITTEN,
        },
    ),
    _of(
        Attempt,
        ("attempt", "task_id number queued_at input_digest adopted"),
        ("begin of the attempt", "started_at base"),
        ("end of the attempt", "ended_at"),
        ("result of the attempt", "outcome proof result error commit same_as_id"),
        ("usage of the attempt", "tokens_in tokens_out cost_micros currency model model_seconds"),
        ("verification of the attempt", "verification_id"),
        ("follow-up of the attempt", "followed_up_at"),
        derived={"status": REPLAYED, "behind": "the same column of its step, while it is queued"},
    ),
    Coverage(
        Assignment,
        (
            RowPart(
                "claim",
                Assignment,
                "attempt_id executor_id claimed_as token alone claimed_at",
                once=True,
            ),
            RowPart(
                "end of the claim", Assignment, "released_at terminal_state", once=False, key="attempt_id"
            ),
        ),
        {},
        {},
    ),
    _of(CriterionCheck, ("evidence", "attempt_id criterion_id evidence checked_by_id checked_as checked_at")),
    _of(
        HandoffArtifact,
        ("artifact", "workstream_id sequence attempt_id event path body sha256 created_at"),
        derived={
            "state": REPLAYED + ", and compared with the workspace",
            "commit": "compared with the workspace",
        },
        apart={
            "problem": "what is wrong with the file now; entries have it as their reason",
            "committed_at": "the commit in the workspace has its time",
        },
    ),
    _of(OutputFile, ("output", "artifact_id path content sha256")),
    _of(
        Blocker,
        ("blocker", "task_id kind note declared_by_id declared_as declared_at"),
        ("owner of the blocker", "owner_id"),
        ("end of the blocker", "resolved_at resolved_by_id resolved_as resolution"),
    ),
    _of(
        GateReview,
        (
            "signature",
            "attempt_id reviewer_id signed_as decision reason follow_ups follow_up_version_id return_step_id "
            "signed_at effective_at",
        ),
        ("end of the signature", "withdrawn_at"),
    ),
    _of(
        Intervention,
        ("question", "task_id kind note raised_by raised_at"),
        ("answer to the question", "answer cleared_by_id cleared_as cleared_at"),
    ),
    _of(InterventionChoice, ("choice of the question", "intervention_id position text")),
    _of(TouchedFile, ("touched file", "attempt_id path")),
    _of(
        Verification,
        (
            "receipt",
            "attempt_id state tool run source executor_id in_person token outcome evidence outputs result "
            "commit committed touched asked_at ended_at exit_code tree milliseconds log log_end problem",
        ),
        apart={"begun_at runs": "how often a run was begun, which decides nothing"},
        which=_run,
    ),
)
_WORKSTREAMS = (
    _of(
        Workstream,
        ("workstream", "uuid slug created_at bundle_id"),
        ("name of the workstream", "title domain"),
        ("plan of the workstream", "version_id"),
        ("priority of the workstream", "priority"),
        ("owner of the workstream", "owner_id"),
        ("acceptance of the workstream", "accepted_at accepted_by_id accepted_as"),
        ("budget of the workstream", "budget"),
        ("hold of the workstream", "over_budget over_budget_at"),
        ("end of the workstream in another one", "merged_into_id"),
        derived={
            "status": REPLAYED,
            "flow_state flow_since first_finished_at first_accepted_at running open_blockers reworking "
            "active_since blocked_since rework_since active_time blocked_time rework_time back_moves "
            "started_at finished_at open_tasks done_tasks blocked_tasks": REBUILT,
            "last_artifact": "the highest number of its artifacts",
        },
        apart={
            "last_round judged_on": "what the next round looks at; it says the same again without it",
            "trouble": "why the last advance did not get through, until the next one does",
            "updated_at": WRITTEN,
        },
    ),
    _of(
        WorkstreamNeed,
        None,
        derived={"workstream_id needed_id": REPLAYED},
        apart={"dropped_at": "when a need was dropped; whether it was is replayed"},
    ),
    _of(PreHandoffReview, ("pre-handoff review", "workstream_id reviewer_id signed_as rationale signed_at")),
    _of(
        DuplicateDecision,
        None,
        (
            "decision about a duplicate",
            "workstream_id other_id outcome rationale decided_by_id decided_as decided_at",
        ),
    ),
    _of(
        OwnershipTransfer,
        (
            "transfer of ownership",
            "workstream_id task_id blocker_id from_user_id to_user_id reason transferred_by_id "
            "transferred_as transferred_at",
        ),
    ),
    _of(
        ThreadAssignment,
        (
            "assignment of the thread",
            "workstream_id thread_id executor_id mode reason assigned_by assigned_at",
        ),
        ("end of the assignment", "ended_at"),
    ),
    _of(
        BaselineIntegration,
        ("integration", "workstream_id source commit note integrated_by integrated_at"),
        ("revert of the integration", "reverted_by_id reverted_as reverted_at revert_reason revert_commit"),
    ),
    _of(
        Learning,
        ("learning", "workstream_id after went_wrong worked tighten author_id recorded_as recorded_at"),
    ),
    _of(
        Migration,
        (
            "migration",
            "workstream_id from_version_id to_version_id reason applied_by applied_at rolls_back_id",
        ),
    ),
    _of(
        MappedStep,
        ("mapped step", "migration_id kind old_step_id new_step_id outcome old_status reason"),
    ),
)
_PEOPLE = (
    _of(Policy, ("policy", "slug"), ("text of the policy", "title body updated_at")),
    _of(
        PolicyChange,
        ("policy change", "policy_id author_id changed_as reason impact body changed_at"),
    ),
    _of(Executor, ("executor", "name skeleton kind user_id created_at")),
    _of(
        AccessToken,
        ("token", "executor_id label digest scopes created_at created_by_id expires_at"),
        ("end of the token", "revoked_at"),
        apart={"last_used_at last_used_from": "shown to its owner; every call writes it"},
    ),
)
COVERED: Final = (*_PLANS, *_WORK, *_WORKSTREAMS, *_PEOPLE)
BY_MODEL: Final[Mapping[type[Model], Coverage]] = {one.model: one for one in COVERED}
PARTS: Final[Mapping[str, RowPart]] = {part.kind: part for one in COVERED for part in one.parts}
#: Tables that no entry speaks of, and why.
APART: Final[Mapping[str, str]] = {
    "HistoryEntry HistoryCheckpoint HistoryTile": "the history itself, which is walked",
    "SearchEntry": "made again from what it finds: manage.py rebuild search",
    "StateInterval": "made again from the history: manage.py rebuild flow",
    "StateFiles": "which files of the workspace are to be written again",
    "WorkspaceBranch": "where git's branch stands, compared with git before every commit",
    "ResultFile": "read again from the commit of the result branch; what came of it has entries of its own",
    "SchedulingDecision RecordedVerdict": "why work waits; what a round launched has an entry",
    "WorkPlace PlaceCommit PlaceClash": "where an attempt works; what it handed in has an entry",
    "FormKey IdempotencyKey": "answers to what is sent twice, kept for a while",
    "Snooze ViewedSection": "what a reader marked for themselves",
    "Subscription SubscribedTopic Delivery NotifiedUpTo": "who is told of what, which decides nothing",
    "SessionEnd OpenSession GivenPassword RecoveryCode": "how somebody signs in; what they do has entries",
    "Repository Wake": "rows that are locked and hold nothing",
}
