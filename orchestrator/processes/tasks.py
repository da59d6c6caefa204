"""What the queue runs (DC-6): ids in, one service call, nothing kept.

Running any of it twice changes nothing.
"""

import time

from django.core.cache import cache
from django.utils import timezone
from django_q.tasks import async_task

from orchestrator.core.terms import OPEN_WORKSTREAM, ArtifactState
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.services import advance as service
from orchestrator.services.base.trouble import kept_for_the_end
from orchestrator.services.base.wake import begun
from orchestrator.services.handoff import baseline
from orchestrator.services.handoff.damage import workspace
from orchestrator.services.handoff.known_branch import look
from orchestrator.services.handoff.maintenance import maintain
from orchestrator.services.handoff.soundness import keep_sound
from orchestrator.services.people import notifying
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.work import collector
from orchestrator.services.work.branch_turns import going_on
from orchestrator.services.work.clearing import clear_places
from orchestrator.services.work.silence import ask_about_silence
from orchestrator.services.workstreams.learnings_file import write_learnings
from orchestrator.workspace.git import GitFailed

#: Where a heartbeat and a sweep leave the word they were sent with, once they are done.
HEARTBEAT = "orchestrator.queue.heartbeat"
SWEPT = "orchestrator.queue.swept"
#: Seconds after which a sweep goes on in a message of its own, so that others get their turn and no time
#: limit is met.
SLICE = 10.0


def advance(workstream_id: int) -> None:
    """Bring one workstream up to date; the message carries its id only, its rows say what there is to do."""
    begun(workstream_id)
    service.advance(workstream_id=workstream_id, clock=timezone.now)


def collect() -> int:
    """Go on with what a run over the producers' branches had no time for (FR-029)."""
    going_on()
    return collector.collect(now=timezone.now())


def seal() -> None:
    """Sign how far the history went, and commit that to the workspace (FR-009)."""
    seal_and_anchor(now=timezone.now())


def sweep(word: str = "", after: int = 0) -> int:
    """Advance every workstream that may have something to do: what lost messages left is picked up (F12), and
    its whole frontier is judged afresh. Then look whether work was merged into a base branch (FR-010).

    Trouble with one workstream does not hold up the others (F14): it stands there, and the first one is
    raised at the end, so that the queue's record has it too. A long sweep goes on behind the messages that
    came meanwhile: `after` is the id it came to. Returns how many were advanced.
    """
    trouble: list[Exception] = []
    if not after:
        _begin_sweep(trouble)
    began, advanced = time.monotonic(), 0
    for workstream_id in workstreams_to_sweep(after):
        with kept_for_the_end(trouble):
            begun(workstream_id)
            service.advance(workstream_id=workstream_id, clock=timezone.now, afresh=True)
        advanced += 1
        if time.monotonic() - began >= SLICE:
            async_task("orchestrator.processes.tasks.sweep", word, workstream_id)
            break
    else:
        _end_sweep(word, trouble)
    if trouble:
        raise trouble[0]
    return advanced


def _begin_sweep(trouble: list[Exception]) -> None:
    """Look at the workspace as a whole.

    Whether it is the database's, whether its objects are sound, what came in.
    """
    if not _stopped(trouble):
        with kept_for_the_end(trouble):
            keep_sound(now=timezone.now())
        with kept_for_the_end(trouble):
            collector.collect(now=timezone.now())


def _end_sweep(word: str, trouble: list[Exception]) -> None:
    if any(
        isinstance(error, GitFailed) for error in trouble
    ):  # perhaps it stumbled over what this sweep has not read yet
        with kept_for_the_end(trouble):
            keep_sound(now=timezone.now(), whole=True)
    if not _stopped(trouble):
        with kept_for_the_end(trouble):
            baseline.look_everywhere(now=timezone.now())
        with kept_for_the_end(trouble):
            write_learnings(timezone.now())
        with kept_for_the_end(trouble):
            clear_places(now=timezone.now())
        with kept_for_the_end(trouble):
            ask_about_silence(timezone.now())
        with kept_for_the_end(trouble):
            maintain()
        with kept_for_the_end(trouble):
            seal_and_anchor(now=timezone.now())
    cache.set(SWEPT, word, None)


def _stopped(trouble: list[Exception]) -> bool:
    """Whether branch and database do not belong together, so that nothing is begun (F22 to F24)."""
    with kept_for_the_end(trouble):
        return look(workspace(), timezone.now())
    return True


def notify() -> int:
    """Tell whoever subscribed to what is new in the history."""
    return notifying.notify(now=timezone.now())


def heartbeat(word: str) -> None:
    """Say that a message went all the way through the queue; the supervisor asks for one regularly."""
    cache.set(HEARTBEAT, word, None)


def workstreams_to_sweep(after: int = 0) -> list[int]:
    """Open ones, and those with artifacts that are not in the workspace yet, by id from the one after `after`
    on.

    Their order decides nothing: whoever contends for a repository is advanced in the order of design section
    3.
    """
    pending = HandoffArtifact.objects.filter(state=ArtifactState.PENDING).values("workstream_id")
    due = Workstream.objects.filter(status__in=OPEN_WORKSTREAM) | Workstream.objects.filter(pk__in=pending)
    return list(due.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True))
