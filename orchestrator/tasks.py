"""What the queue runs (DC-6): ids in, one service call, nothing kept. Running any of it twice changes nothing."""

from django.core.cache import cache
from django.utils import timezone

from orchestrator.core.terms import ArtifactState, WorkstreamStatus
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.services import advance as service
from orchestrator.services import baseline, collector
from orchestrator.services.inbox_turns import going_on
from orchestrator.services.maintenance import maintain
from orchestrator.services.trouble import kept_for_the_end

HEARTBEAT = "orchestrator.queue.heartbeat"
#: Seconds the last heartbeat is remembered; far longer than any stall that is waited for.
HEARTBEAT_KEPT = 24 * 3600


def advance(workstream_id: int) -> None:
    """Bring one workstream up to date; the message carries its id only, its rows say what there is to do."""
    service.advance(workstream_id=workstream_id, now=timezone.now())


def collect() -> int:
    """Go on with what a run over the producers' branches had no time for (FR-029)."""
    going_on()
    return collector.collect(now=timezone.now())


def sweep() -> int:
    """Advance every workstream that may have something to do: what lost messages left is picked up (F12), and its whole
    frontier is judged afresh. Then look whether work was merged into a base branch (FR-010).

    Trouble with one workstream does not hold up the others (F14): it stands there, and the first one is raised at the
    end, so that the queue's record has it too. How many were advanced.
    """
    trouble: list[Exception] = []
    with kept_for_the_end(trouble):
        collector.collect(now=timezone.now())
    ids = workstreams_to_sweep()
    for workstream_id in ids:
        with kept_for_the_end(trouble):
            service.advance(workstream_id=workstream_id, now=timezone.now(), afresh=True)
    with kept_for_the_end(trouble):
        baseline.look_everywhere(now=timezone.now())
    with kept_for_the_end(trouble):
        maintain()
    if trouble:
        raise trouble[0]
    return len(ids)


def heartbeat() -> None:
    """Say that a message went all the way through the queue; the supervisor asks for one regularly."""
    cache.set(HEARTBEAT, timezone.now().timestamp(), HEARTBEAT_KEPT)


def workstreams_to_sweep() -> list[int]:
    """Open ones, and those with artifacts that are not in the workspace yet; in the order of design section 3."""
    pending = HandoffArtifact.objects.filter(state=ArtifactState.PENDING).values("workstream_id")
    unfinished = [WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE]
    due = Workstream.objects.filter(status__in=unfinished) | Workstream.objects.filter(pk__in=pending)
    return list(due.values_list("pk", flat=True))
