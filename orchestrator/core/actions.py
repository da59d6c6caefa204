"""The actions that the history records (FR-009): each is the word of one kind of entry, with one spelling.

What is stored is the value. Services record them, `core/replay.py` rebuilds the state of a workstream from
those of its own history, and whatever wants to hear of an event asks for its action.
"""

from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """Those of a workstream first, then those of the installation: workflows, workspace, accounts."""

    PLAN_SUBMITTED = "plan submitted"
    PLAN_SENT_BACK = "plan sent back"
    PLAN_WITHDRAWN = "plan withdrawn"
    PLAN_SIGNED = "plan signed"
    PLAN_APPROVED = "plan approved"
    PLAN_TOOK_EFFECT = "plan took effect"
    DEPENDENCY_DROPPED = "dependency dropped"
    APPROVAL_WITHDRAWN = "approval withdrawn"
    COMMENTS_SENT = "comments sent"
    DISCUSSION_RESOLVED = "discussion resolved"
    DISCUSSION_REOPENED = "discussion re-opened"
    PREHANDOFF_SIGNED = "pre-handoff review signed"
    DUPLICATE_DECIDED = "duplicate decided"
    NAMED_AS_DUPLICATE = "named as duplicate"

    WORKSTREAM_STARTED = "workstream started"
    WORKSTREAM_MIGRATED = "workstream migrated"
    MIGRATION_ROLLED_BACK = "migration rolled back"
    WORKSTREAM_ACCEPTED = "workstream accepted"
    WORKSTREAM_REOPENED = "workstream re-opened"
    WORKSTREAM_ARCHIVED = "workstream archived"
    NEEDS_CHANGED = "needs changed"
    PRIORITY_SET = "priority set"
    OWNERSHIP_TRANSFERRED = "ownership transferred"
    THREAD_ASSIGNED = "thread assigned"
    THREAD_UNASSIGNED = "thread unassigned"
    LEARNING_RECORDED = "learning recorded"
    NOTHING_TO_RECORD = "nothing to record"
    ENTRY_CORRECTED = "entry corrected"

    WORK_ADOPTED = "work adopted"
    STEPS_LAUNCHED = "steps launched"
    STEPS_SERIALISED = "steps serialised"
    STEP_SKIPPED = "step skipped"
    STEPS_ADDED = "steps added"
    ATTEMPT_CLAIMED = "attempt claimed"
    BREADCRUMB_LEFT = "breadcrumb left"
    COMPLETION_HANDED_IN = "completion handed in"
    COMPLETION_REFUSED = "completion refused"
    ATTEMPT_COMPLETED = "attempt completed"
    ATTEMPT_FAILED = "attempt failed"
    ATTEMPT_RELEASED = "attempt given back"
    STALE_RESULT_QUARANTINED = "stale result quarantined"
    TASK_REQUEUED = "task re-queued"
    WORK_SENT_BACK = "work sent back"
    BREAKER_TRIPPED = "circuit breaker tripped"
    BUDGET_USED_UP = "budget used up"
    BUDGET_SET = "budget set"
    BLOCKER_DECLARED = "blocker declared"
    BLOCKER_RESOLVED = "blocker resolved"
    FLAGGED_FOR_HUMAN = "flagged for a human"
    INTERVENTION_DONE = "intervention done"
    GATE_SIGNED = "gate signed"
    GATE_APPROVED = "gate approved"
    SIGNATURE_WITHDRAWN = "signature withdrawn"
    REJECTION_SIGNED = "rejection signed"
    GATE_REJECTED = "gate rejected"

    BASELINE_INTEGRATED = "baseline integrated"
    BASELINE_REVERTED = "baseline reverted"
    ARTIFACT_DAMAGED = "artifact damaged"
    ARTIFACT_INTACT_AGAIN = "artifact intact again"
    ARTIFACT_PUBLISHED_AGAIN = "artifact published again"
    ARTIFACT_REPUBLISHED = "artifact republished"
    ARTIFACT_RESTORED = "artifact restored"
    ARTIFACT_WITHDRAWN = "artifact withdrawn"
    RESULT_FILE_QUARANTINED = "result file quarantined"

    BUNDLE_SUBMITTED = "bundle submitted"
    WORKFLOW_CHANGED = "workflow changed"
    WORKFLOW_SAVED = "workflow saved"
    WORKFLOW_ARCHIVED = "workflow archived"
    WORKFLOW_BROUGHT_BACK = "workflow brought back"
    POLICY_CHANGED = "policy changed"
    LEARNINGS_WRITTEN = "learnings written"
    WORKSPACE_DIVERGED = "workspace diverged"
    WORKSPACE_AGREES_AGAIN = "workspace agrees again"
    WORKSPACE_MENDED = "workspace mended"
    EDITED_FILE_REPLACED = "edited file replaced"
    HISTORY_KEY_ROTATED = "history key rotated"
    HISTORY_KEY_REPLACED = "history key replaced"
    CONSISTENCY_RESTORED = "consistency restored"
    BACKUP_RESTORED = "backup restored"
    BRANCH_SET_BACK = "branch set back"
    BRANCH_WRITTEN_AGAIN = "branch written again"

    EXECUTOR_REGISTERED = "executor registered"
    TOKEN_ISSUED = "token issued"
    TOKEN_REVOKED = "token revoked"
    SUBSCRIPTION_MADE = "subscription made"
    SUBSCRIPTION_ENDED = "subscription ended"
    SIGNED_IN = "signed in"
    SIGN_IN_STOPPED = "sign-in stopped"
    SESSION_ENDED = "session ended"
    SIGNED_OUT_EVERYWHERE = "signed out everywhere"
    SECOND_FACTOR_SET_UP = "second factor set up"
    SECOND_FACTOR_REFUSED = "second factor refused"
    SECOND_FACTOR_TURNED_OFF = "second factor turned off"
    SECOND_FACTOR_RESET = "second factor reset"
    RECOVERY_CODE_USED = "recovery code used"
    RECOVERY_CODES_RENEWED = "recovery codes renewed"
    ACCOUNT_MADE = "account made"
    ACCOUNT_RENAMED = "account renamed"
    ACCOUNT_ACTIVATED = "account activated"
    ACCOUNT_DEACTIVATED = "account deactivated"
    PASSWORD_CHANGED = "password changed"
    ROLE_GIVEN = "role given"
    ROLE_TAKEN = "role taken"
    RIGHT_GIVEN = "right given"
    RIGHT_TAKEN = "right taken"


#: Those of a workstream that leave its status, tasks and attempts as they are; what the others do to them
#: stands in `core/replay.py`.
CHANGE_NO_STATE: Final = frozenset(
    {
        Action.PLAN_SUBMITTED,
        Action.PLAN_SENT_BACK,
        Action.DEPENDENCY_DROPPED,
        Action.COMMENTS_SENT,
        Action.DISCUSSION_RESOLVED,
        Action.DISCUSSION_REOPENED,
        Action.PLAN_SIGNED,
        Action.PLAN_WITHDRAWN,
        Action.APPROVAL_WITHDRAWN,
        Action.STEPS_SERIALISED,
        Action.COMPLETION_HANDED_IN,
        Action.COMPLETION_REFUSED,
        Action.BREAKER_TRIPPED,
        Action.BUDGET_USED_UP,
        Action.BUDGET_SET,
        Action.REJECTION_SIGNED,
        Action.OWNERSHIP_TRANSFERRED,
        Action.THREAD_ASSIGNED,
        Action.THREAD_UNASSIGNED,
        Action.NAMED_AS_DUPLICATE,
        Action.PRIORITY_SET,
        Action.LEARNING_RECORDED,
        Action.NOTHING_TO_RECORD,
        Action.ENTRY_CORRECTED,
        Action.RESULT_FILE_QUARANTINED,
    }
)
