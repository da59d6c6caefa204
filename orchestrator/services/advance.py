"""Advance a workstream: take in what producers committed themselves, commit what was announced, check what was handed
over, schedule; again until nothing is left.

This is what the queue runs (DC-6). Running it twice, or after a crash anywhere, has no second effect.
"""

from datetime import datetime

from orchestrator.core.errors import WorkspaceDiverged, WorkspaceUnavailable
from orchestrator.queries.contenders import in_line_with
from orchestrator.queries.snapshot import workstream_row
from orchestrator.services.artifacts import publish
from orchestrator.services.collector import collect
from orchestrator.services.damage import check_handovers, workspace
from orchestrator.services.effect import take_effect
from orchestrator.services.known_branch import look
from orchestrator.services.scheduling import run_round
from orchestrator.services.wake import wake

#: A round that launches announces new artifacts, which have to be committed in turn; two turns are usual.
TURNS = 20


def advance(*, workstream_id: int, now: datetime, afresh: bool = False) -> None:
    """Bring workspace and schedule of a workstream up to date with its rows; `afresh` trusts nothing remembered.

    What it gave up may be what workstreams on the same repository wait for: they are advanced too, by priority,
    registration time and id, and those of a higher rank before it takes anything new (AD-3).

    When files cannot be written, what builds on them waits with that reason, the rest is scheduled, and
    WorkspaceUnavailable is raised at the end, so the queue tries again (F14 to F16). A workstream that needs more
    turns, such as a long chain of skipped steps, is advanced again.

    While branch and database do not belong together, rounds say so and nothing else is done (F22 to F24).
    """
    if _diverged(now):
        run_round(workstream_id=workstream_id, now=now, afresh=afresh)
        return
    unread = _collect(now)
    take_effect(workstream_id=workstream_id, now=now)
    trouble: WorkspaceUnavailable | None = None
    for one in in_line_with(workstream_row(workstream_id)):
        trouble = _bring_up_to_date(one, now, afresh) or trouble
    if problem := trouble or unread:
        raise problem


def _bring_up_to_date(workstream_id: int, now: datetime, afresh: bool) -> WorkspaceUnavailable | None:
    trouble: WorkspaceUnavailable | None = None
    for _ in range(TURNS):
        try:
            publish(now=now, workstream_id=workstream_id)
        except WorkspaceDiverged:  # noticed since this advance began
            run_round(workstream_id=workstream_id, now=now, afresh=afresh)
            break
        except WorkspaceUnavailable as refusal:
            trouble = refusal
        check_handovers(workstream_id=workstream_id, now=now)
        if run_round(workstream_id=workstream_id, now=now, afresh=afresh) is None or trouble:
            break
    else:
        wake(workstream_id)
    return trouble


def _diverged(now: datetime) -> bool:
    """A workspace that cannot be looked at is told by whoever writes to it next."""
    try:
        return look(workspace(), now)
    except WorkspaceUnavailable:
        return False


def _collect(now: datetime) -> WorkspaceUnavailable | None:
    """Trouble with the producers' branches is told at the end: nothing else waits for them."""
    try:
        collect(now=now)
    except WorkspaceUnavailable as refusal:
        return refusal
    return None
