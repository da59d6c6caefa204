"""Tools for an agent that cannot go on: declare what is in the way, and say when it is gone (FR-012)."""

from dataclasses import dataclass

from django.utils import timezone

from orchestrator.contract.blockers import BlockerFacts
from orchestrator.mcp.tools import Tools
from orchestrator.queries.work.blocker_facts import find_blocker
from orchestrator.services.people import blockers


@dataclass(frozen=True)
class BlockerTools(Tools):
    def declare_blocker(self, task_id: int, kind: str, note: str, owner: str = "") -> BlockerFacts:
        """Say that a task cannot go on: `kind` is external, decision, resource, defect or other; the note
        says why.

        `owner` is the user name of whoever sees to it; without one it is this executor's account.
        """
        caller = self.doer(blockers.declare_blocker)
        now = timezone.now()
        blocker = blockers.declare_blocker(
            task_id=task_id, kind=kind, note=note, owner=owner, actor=caller.actor, now=now
        )
        return find_blocker(blocker.pk, now)

    def resolve_blocker(self, blocker_id: int, resolution: str) -> BlockerFacts:
        """Close a blocker and say what resolved it; the task goes on where it stood."""
        caller = self.doer(blockers.resolve_blocker)
        now = timezone.now()
        blockers.resolve_blocker(blocker_id=blocker_id, resolution=resolution, actor=caller.actor, now=now)
        return find_blocker(blocker_id, now)
