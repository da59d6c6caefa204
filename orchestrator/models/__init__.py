"""Columns and constraints, one file per noun."""

from orchestrator.models.base.form_key import FormKey
from orchestrator.models.base.search_entry import SearchEntry
from orchestrator.models.people.executor import AccessToken, Executor
from orchestrator.models.people.idempotency import IdempotencyKey
from orchestrator.models.people.open_session import OpenSession
from orchestrator.models.people.policy import Policy, PolicyChange
from orchestrator.models.people.repository import Repository
from orchestrator.models.people.sign_in import GivenPassword, RecoveryCode, SessionEnd
from orchestrator.models.people.snooze import Snooze
from orchestrator.models.plans.approval import Approval
from orchestrator.models.plans.bundle import Bundle
from orchestrator.models.plans.check_rule import CheckRule
from orchestrator.models.plans.comment import Comment, Discussion, ViewedSection
from orchestrator.models.plans.saved_workflow import SavedWorkflow, SavedWorkflowVersion
from orchestrator.models.plans.step import Criterion, GateReviewer, Step, StepNeed, StepResource
from orchestrator.models.plans.structure import Batch, OwnedFiles, Stage, Thread
from orchestrator.models.plans.version import WorkflowVersion
from orchestrator.models.plans.workflow import Workflow
from orchestrator.models.work.artifact import HandoffArtifact, OutputFile
from orchestrator.models.work.attempt import Assignment, Attempt, CriterionCheck
from orchestrator.models.work.blocker import Blocker
from orchestrator.models.work.decision import RecordedVerdict, SchedulingDecision
from orchestrator.models.work.gate import GateReview
from orchestrator.models.work.intervention import Intervention, InterventionChoice
from orchestrator.models.work.ownership import OwnershipTransfer, ThreadAssignment
from orchestrator.models.work.place import PlaceClash, PlaceCommit, TouchedFile, WorkPlace
from orchestrator.models.work.result_file import ResultFile
from orchestrator.models.work.task import Task
from orchestrator.models.work.verification import Verification
from orchestrator.models.work.workspace_branch import WorkspaceBranch
from orchestrator.models.workstreams.history import HistoryEntry
from orchestrator.models.workstreams.integration import BaselineIntegration
from orchestrator.models.workstreams.interval import StateInterval
from orchestrator.models.workstreams.learning import Learning
from orchestrator.models.workstreams.migration import MappedStep, Migration
from orchestrator.models.workstreams.relation import DuplicateDecision, WorkstreamNeed
from orchestrator.models.workstreams.seal import HistoryCheckpoint, HistoryTile
from orchestrator.models.workstreams.state_files import StateFiles
from orchestrator.models.workstreams.subscription import Delivery, NotifiedUpTo, SubscribedTopic, Subscription
from orchestrator.models.workstreams.wake import Wake
from orchestrator.models.workstreams.workstream import PreHandoffReview, Workstream

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
    "Delivery",
    "Discussion",
    "DuplicateDecision",
    "Executor",
    "FormKey",
    "GateReview",
    "GateReviewer",
    "GivenPassword",
    "HandoffArtifact",
    "HistoryCheckpoint",
    "HistoryEntry",
    "HistoryTile",
    "IdempotencyKey",
    "Intervention",
    "InterventionChoice",
    "Learning",
    "MappedStep",
    "Migration",
    "NotifiedUpTo",
    "OpenSession",
    "OutputFile",
    "OwnedFiles",
    "OwnershipTransfer",
    "PlaceClash",
    "PlaceCommit",
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
    "SearchEntry",
    "SessionEnd",
    "Snooze",
    "Stage",
    "StateFiles",
    "StateInterval",
    "Step",
    "StepNeed",
    "StepResource",
    "SubscribedTopic",
    "Subscription",
    "Task",
    "Thread",
    "ThreadAssignment",
    "TouchedFile",
    "Verification",
    "ViewedSection",
    "Wake",
    "WorkPlace",
    "Workflow",
    "WorkflowVersion",
    "WorkspaceBranch",
    "Workstream",
    "WorkstreamNeed",
]
