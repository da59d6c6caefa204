"""The shared git workspace: the only code that touches it (design section 5)."""

from orchestrator.workspace.files import FileDamage
from orchestrator.workspace.inbox import Inbox
from orchestrator.workspace.repository import Workspace

__all__ = ["FileDamage", "Inbox", "Workspace"]
