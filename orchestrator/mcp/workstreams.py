"""Seed 003's tool that accepts or archives a workstream (LC-8, LC-9)."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from orchestrator.contract.workstreams import WorkstreamFacts
from orchestrator.core.errors import InvalidInput
from orchestrator.mcp.tools import Tools
from orchestrator.queries.workstreams.workstream_facts import workstream_detail
from orchestrator.services.workstreams.closing import close_workstream


@dataclass(frozen=True)
class WorkstreamTools(Tools):
    def update_workstream_status(self, workstream_id: str, status: str, reason: str = "") -> WorkstreamFacts:
        """Set the status of a workstream: "completed" accepts a finished one, "archived" closes it; nothing
        is deleted.

        `workstream_id` is the workstream's UUID.
        """
        caller = self.doer(close_workstream)
        uuid = uuid_of(workstream_id)
        close_workstream(
            workstream=uuid, status=status, reason=reason, actor=caller.actor, now=timezone.now()
        )
        return workstream_detail(uuid)


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a UUID.", field="workstream_id") from None
