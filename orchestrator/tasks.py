"""What the queue runs (DC-6): ids in, one service call, nothing kept. Running any of it twice changes nothing."""

from django.core.cache import cache
from django.utils import timezone

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.terms import ArtifactState, WorkstreamStatus
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.services import advance as service
from orchestrator.services import baseline
from orchestrator.services.collector import collect
from orchestrator.services.damage import workspace
from orchestrator.services.known_branch import look
from orchestrator.services.maintenance import maintain
from orchestrator.services.soundness import keep_sound
from orchestrator.workspace.git import GitFailed

HEARTBEAT = "orchestrator.queue.heartbeat"
#: Seconds the last heartbeat is remembered; far longer than any stall that is waited for.
HEARTBEAT_KEPT = 24 * 3600


def advance(workstream_id: int) -> None:
    """Bring one workstream up to date; the message carries its id only, its rows say what there is to do."""
    service.advance(workstream_id=workstream_id, now=timezone.now())


def sweep() -> int:
    """Advance every workstream that may have something to do: what lost messages left is picked up (F12), and its whole
    frontier is judged afresh. Then look whether work was merged into a base branch (FR-010).

    One workstream whose files cannot be written does not hold up the others (F14); how many were advanced.
    """
    stopped = look(workspace(), timezone.now())
    if not stopped:
        keep_sound(now=timezone.now())
    trouble = None if stopped else _collect()
    ids = workstreams_to_sweep()
    for workstream_id in ids:
        try:
            service.advance(workstream_id=workstream_id, now=timezone.now(), afresh=True)
        except WorkspaceUnavailable as refusal:
            trouble = refusal
    if isinstance(trouble, GitFailed):  # perhaps it stumbled over what this sweep has not read yet
        keep_sound(now=timezone.now(), whole=True)
    if not stopped:
        baseline.look_everywhere(now=timezone.now())
        maintain()
    if trouble:
        raise trouble
    return len(ids)


def _collect() -> WorkspaceUnavailable | None:
    try:
        collect(now=timezone.now())
    except WorkspaceUnavailable as refusal:
        return refusal
    return None


def heartbeat() -> None:
    """Say that a message went all the way through the queue; the supervisor asks for one regularly."""
    cache.set(HEARTBEAT, timezone.now().timestamp(), HEARTBEAT_KEPT)


def workstreams_to_sweep() -> list[int]:
    """Open ones, and those with artifacts that are not in the workspace yet; in the order of design section 3."""
    pending = HandoffArtifact.objects.filter(state=ArtifactState.PENDING).values("workstream_id")
    unfinished = [WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE]
    due = Workstream.objects.filter(status__in=unfinished) | Workstream.objects.filter(pk__in=pending)
    return list(due.values_list("pk", flat=True))
