"""When the state files of a workstream are written: while it moves at most once a second, and whenever it
stands still (WF-7, BX-6).

They show the whole plan, so writing them costs what the plan is long, and work that moves fast would spend
most of its time on files that nobody reads before the next ones. A row says that they are behind: the watch
over the queue wakes such a workstream when its second is over. A sweep writes always, so it mends what a kill
left.
"""

from datetime import datetime

from orchestrator.models import StateFiles
from orchestrator.services.base.rows import UpdateWhere


def leave_behind(workstream_id: int) -> None:
    """Note that the state files show less than the rows, or that something was announced which nobody builds
    on: the watch wakes the workstream when its second is over. Before they were ever written there is
    nothing to note: then an advance is under way, or the sweep comes."""
    _update({"workstream": workstream_id, "behind": False}, behind=True)


def begin_writing(workstream_id: int, now: datetime) -> None:
    """Note that the state files are written from what the rows say from here on; call it under the
    workspace's lock, before the rows are read, so that what changes meanwhile leaves them behind again."""
    if not _update({"workstream": workstream_id}, written_at=now, behind=False):
        StateFiles.objects.get_or_create(pk=workstream_id, defaults={"written_at": now})


_update = UpdateWhere(StateFiles)
