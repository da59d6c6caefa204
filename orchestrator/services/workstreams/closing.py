"""Closing a workstream by the word for its new status, as seed 003's interfaces do (LC-9, LC-10)."""

from datetime import datetime
from uuid import UUID

from orchestrator.core.errors import InvalidInput, NotFound
from orchestrator.core.terms import Scope, WorkstreamStatus
from orchestrator.models import Workstream
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock
from orchestrator.services.workstreams.workstreams import accept_workstream, archive_workstream

#: The statuses that can be asked for; the others follow from approving a plan and from the tasks.
CLOSING = (WorkstreamStatus.COMPLETED, WorkstreamStatus.ARCHIVED)


@act(
    roles=(*accept_workstream.declaration.roles, *archive_workstream.declaration.roles),
    scope=Scope.MANAGE,
    only="as the act that the status names",
    locks=(Lock.WORKSTREAM,),
)
def close_workstream(
    *, workstream: UUID, status: str, reason: str, actor: Actor, now: datetime
) -> Workstream:
    """`completed` accepts, `archived` archives; any other word is InvalidInput.

    Roles and locks are the acts' own.
    """
    if status not in CLOSING:
        wanted = " or ".join(CLOSING)
        raise InvalidInput(
            f"The status of a workstream can be set to {wanted}, not to {status!r}.", field="status"
        )
    found = Workstream.objects.filter(uuid=workstream).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound("There is no such workstream.")
    if status == WorkstreamStatus.COMPLETED:
        return accept_workstream(workstream_id=found, actor=actor, now=now, note=reason)
    why = reason.strip() or f"Archived by {actor.label} without a further reason."
    return archive_workstream(workstream_id=found, reason=why, actor=actor, now=now)
