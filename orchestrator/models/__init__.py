"""Columns and constraints, one file per noun."""

from orchestrator.models.approval import Approval
from orchestrator.models.artifact import HandoffArtifact, OutputFile
from orchestrator.models.attempt import Assignment, Attempt, CriterionCheck
from orchestrator.models.blocker import Blocker
from orchestrator.models.bundle import Bundle
from orchestrator.models.check_rule import CheckRule
from orchestrator.models.comment import Comment, Discussion, ViewedSection
from orchestrator.models.decision import RecordedVerdict, SchedulingDecision
from orchestrator.models.executor import AccessToken, Executor
from orchestrator.models.form_key import FormKey
from orchestrator.models.gate import GateReview
from orchestrator.models.history import HistoryEntry
from orchestrator.models.idempotency import IdempotencyKey
from orchestrator.models.integration import BaselineIntegration
from orchestrator.models.interval import StateInterval
from orchestrator.models.intervention import Intervention, InterventionChoice
from orchestrator.models.learning import Learning
from orchestrator.models.migration import MappedStep, Migration
from orchestrator.models.ownership import OwnershipTransfer, ThreadAssignment
from orchestrator.models.policy import Policy, PolicyChange
from orchestrator.models.relation import DuplicateDecision, WorkstreamNeed
from orchestrator.models.repository import Repository
from orchestrator.models.result_file import ResultFile
from orchestrator.models.saved_workflow import SavedWorkflow, SavedWorkflowVersion
from orchestrator.models.sign_in import RecoveryCode, SessionEnd
from orchestrator.models.snooze import Snooze
from orchestrator.models.state_files import StateFiles
from orchestrator.models.step import Criterion, GateReviewer, Step, StepNeed, StepResource
from orchestrator.models.structure import Batch, OwnedFiles, Stage, Thread
from orchestrator.models.task import Task
from orchestrator.models.version import WorkflowVersion
from orchestrator.models.wake import Wake
from orchestrator.models.workflow import Workflow
from orchestrator.models.workspace_branch import WorkspaceBranch
from orchestrator.models.workstream import PreHandoffReview, Workstream

__all__ = [
    "AccessToken",
    "Approval",
    "Assignment",
    "Attempt",
    "BaselineIntegration",
    "Batch",
    "Blocker",
    "Bundle",
    "CheckRule",
    "Comment",
    "Criterion",
    "CriterionCheck",
    "Discussion",
    "DuplicateDecision",
    "Executor",
    "FormKey",
    "GateReview",
    "GateReviewer",
    "HandoffArtifact",
    "HistoryEntry",
    "IdempotencyKey",
    "Intervention",
    "InterventionChoice",
    "Learning",
    "MappedStep",
    "Migration",
    "OutputFile",
    "OwnedFiles",
    "OwnershipTransfer",
    "Policy",
    "PolicyChange",
    "PreHandoffReview",
    "RecordedVerdict",
    "RecoveryCode",
    "Repository",
    "ResultFile",
    "SavedWorkflow",
    "SavedWorkflowVersion",
    "SchedulingDecision",
    "SessionEnd",
    "Snooze",
    "Stage",
    "StateFiles",
    "StateInterval",
    "Step",
    "StepNeed",
    "StepResource",
    "Task",
    "Thread",
    "ThreadAssignment",
    "ViewedSection",
    "Wake",
    "Workflow",
    "WorkflowVersion",
    "WorkspaceBranch",
    "Workstream",
    "WorkstreamNeed",
]
