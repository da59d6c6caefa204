"""Columns and constraints, one file per noun."""

from orchestrator.models.artifact import HandoffArtifact, OutputFile
from orchestrator.models.attempt import Assignment, Attempt, CriterionCheck
from orchestrator.models.decision import SchedulingDecision, Verdict
from orchestrator.models.executor import AccessToken, Executor
from orchestrator.models.gate import GateReview
from orchestrator.models.history import HistoryEntry
from orchestrator.models.idempotency import IdempotencyKey
from orchestrator.models.learning import Learning
from orchestrator.models.policy import Policy, PolicyChange
from orchestrator.models.step import Criterion, GateReviewer, Step, StepNeed, StepResource
from orchestrator.models.structure import Batch, OwnedFiles, Stage, Thread
from orchestrator.models.task import Blocker, Intervention, Task
from orchestrator.models.version import WorkflowVersion
from orchestrator.models.workflow import Workflow
from orchestrator.models.workstream import PreHandoffReview, Workstream

__all__ = [
    "AccessToken",
    "Assignment",
    "Attempt",
    "Batch",
    "Blocker",
    "Criterion",
    "CriterionCheck",
    "Executor",
    "GateReview",
    "GateReviewer",
    "HandoffArtifact",
    "HistoryEntry",
    "IdempotencyKey",
    "Intervention",
    "Learning",
    "OutputFile",
    "OwnedFiles",
    "Policy",
    "PolicyChange",
    "PreHandoffReview",
    "SchedulingDecision",
    "Stage",
    "Step",
    "StepNeed",
    "StepResource",
    "Task",
    "Thread",
    "Verdict",
    "Workflow",
    "WorkflowVersion",
    "Workstream",
]
