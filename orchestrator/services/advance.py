"""Advance a workstream: take in what producers committed themselves, commit what was announced, check what
was handed over, schedule, and commit what that announced.

This is what the queue runs (DC-6). Running it twice, or after a crash anywhere, has no second effect. It may
take long, so each part asks the clock of the entry point anew: a round is dated when it was made.
"""

from collections.abc import Callable
from datetime import datetime

from orchestrator.core.errors import WorkspaceDiverged, WorkspaceUnavailable
from orchestrator.models import Workstream
from orchestrator.queries.engine.contenders import in_line_with
from orchestrator.queries.engine.snapshot import workstream_row
from orchestrator.queries.handoff.state_files import may_wait
from orchestrator.services.base.locks import outside_transactions
from orchestrator.services.base.trouble import kept_for_the_end, note_trouble
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.damage import check_handovers, workspace
from orchestrator.services.handoff.known_branch import look
from orchestrator.services.handoff.publishing import publish
from orchestrator.services.handoff.state_files import leave_behind
from orchestrator.services.review.effect import take_effect
from orchestrator.services.review.signatures import signatures_take_effect
from orchestrator.services.work.collector import collect
from orchestrator.services.work.scheduling import run_round

#: Rounds of one advance, as long as each of them skips steps; one is usual.
TURNS = 20
Clock = Callable[[], datetime]


def advance(*, workstream_id: int, clock: Clock, afresh: bool = False) -> None:
    """Bring workspace and schedule of a workstream up to date with its rows; `afresh` trusts nothing
    remembered.

    What it gave up may be what workstreams on the same repository wait for: they are advanced too, by
    priority, registration time and id, and those of a higher rank before it takes anything new (AD-3).

    When files cannot be written, what builds on them waits with that reason, the rest is scheduled (F14 to
    F16). Whatever goes wrong with one of the workstreams stands on its page and holds up no other one; the
    first trouble is raised at the end, so the queue tries again. A workstream that needs more turns, such as
    a long chain of skipped steps, is advanced again.

    While branch and database do not belong together, rounds say so and nothing else is done (F22 to F24).
    """
    outside_transactions()
    if _diverged(clock()):
        run_round(workstream_id=workstream_id, now=clock(), afresh=afresh)
        return
    trouble: list[Exception] = []
    with kept_for_the_end(trouble):
        collect(now=clock())
    own: list[Exception] = []
    with kept_for_the_end(own):
        take_effect(workstream_id=workstream_id, now=clock())
        signatures_take_effect(workstream_id=workstream_id, now=clock())
    for one in in_line_with(workstream_row(workstream_id)):
        its = own if one.pk == workstream_id else []
        _bring_up_to_date(one, clock, afresh, its)
        with kept_for_the_end(its):
            note_trouble(one, its)
        trouble += its
    if trouble:
        raise trouble[0]


def _bring_up_to_date(workstream: Workstream, clock: Clock, afresh: bool, trouble: list[Exception]) -> None:
    """Commit what was announced, schedule, then commit what that announced with the state files, which are so
    made once. While these may wait, the launches' announcements wait with them: nothing builds on those, and
    the next advance commits them. What goes wrong is added to `trouble`; whatever does not need it is done
    all the same."""
    for _ in range(TURNS):
        if not _publish(workstream, clock, trouble, state_files=False):
            run_round(workstream_id=workstream.pk, now=clock(), afresh=afresh)
            return
        made = None
        with kept_for_the_end(trouble):
            check_handovers(workstream=workstream, now=clock(), whole=afresh)
            made = run_round(workstream_id=workstream.pk, now=clock(), afresh=afresh)
        if trouble or made is None or not made.skipped:  # what stands behind a skipped step may go on
            break
    else:
        wake(workstream.pk)
    if not any(isinstance(error, WorkspaceUnavailable) for error in trouble):
        _publish_with_state_files(workstream, clock, trouble, afresh)


def _publish_with_state_files(
    workstream: Workstream, clock: Clock, trouble: list[Exception], afresh: bool
) -> None:
    if not afresh and may_wait(workstream.pk, clock()):
        leave_behind(workstream.pk)
    else:
        _publish(workstream, clock, trouble, state_files=True)


def _publish(workstream: Workstream, clock: Clock, trouble: list[Exception], *, state_files: bool) -> bool:
    """False when it was noticed since this advance began that branch and database do not belong together."""
    with kept_for_the_end(trouble):
        publish(now=clock(), workstream_id=workstream.pk, state_files=state_files)
    if trouble and isinstance(trouble[-1], WorkspaceDiverged):
        trouble.pop()
        return False
    return True


def _diverged(now: datetime) -> bool:
    """A workspace that cannot be looked at is told by whoever writes to it next."""
    try:
        return look(workspace(), now)
    except WorkspaceUnavailable:
        return False
