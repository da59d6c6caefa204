"""The shared git workspace: the only code that touches it (design section 5)."""

from orchestrator.workspace.files import FileDamage
from orchestrator.workspace.repository import Workspace
from orchestrator.workspace.result_branches import ResultBranches

__all__ = ["FileDamage", "ResultBranches", "Workspace"]
