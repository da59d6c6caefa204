"""What the scheduler is told of a workstream: the places, states and claims of its tasks.

See design section 3.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.core.engine.conditions import When
from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.order import OrderKey, Place
from orchestrator.core.engine.signatures import Signer, SignOff, sign_off
from orchestrator.core.terms import TERMINAL_TASK, AttemptStatus, Reason, TaskStatus


@dataclass(frozen=True, slots=True)
class TaskView:
    """What the scheduler may know of a task.

    `live` is the status of its live attempt, `executor` who runs it, `assigned` who alone may claim it.
    `failure`, `blocker` and `note` are the texts of an undecided failure, an open blocker and an open
    intervention. `artifact` says why the handover of a complete task cannot be used (empty: committed and
    intact), `damaged` that it was lost after it stood there: that holds what was launched, too. `when` is its
    condition with the facts it rests on, `skipped` the sentence with which a round skipped it. A gate asks
    for `signatures` of `reviewers`, and `signers` have decided about its live attempt
    (`core/engine/signatures.py`). `run` is the number of its run of neighbouring parallel steps in its
    thread; without one the snapshot holds the whole plan and the runs are counted there.
    """

    key: str
    place: Place
    status: TaskStatus = TaskStatus.PENDING
    gate: bool = False
    parallel: bool = False
    needs: tuple[str, ...] = ()
    claims: Claims = field(default_factory=Claims)
    live: AttemptStatus | None = None
    executor: str = ""
    assigned: str = ""
    failure: str = ""
    blocker: str = ""
    note: str = ""
    artifact: str = ""
    damaged: bool = False
    reviewers: tuple[str, ...] = ()
    signatures: int = 1
    signers: tuple[Signer, ...] = ()
    run: int | None = None
    when: When | None = None
    skipped: str = ""

    @property
    def order(self) -> OrderKey:
        return self.place.launch_key(self.key)

    @property
    def sign_off(self) -> SignOff:
        return sign_off(self.reviewers, self.signatures, self.signers)

    @property
    def open(self) -> bool:
        return self.status not in TERMINAL_TASK

    @property
    def stands(self) -> bool:
        """Whether the task's own state decides, whatever the rest of the plan does."""
        return not self.open or bool(self.note or self.live or self.failure)


class Hold(NamedTuple):
    """What holds a whole workstream, in a sentence; `holder` is the slug of the workstream it waits for."""

    reason: Reason
    sentence: str
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the scheduler sees: the `tasks` it judges, and what their verdicts depend on.

    `context` are tasks of the same workstream that are not judged: what the judged ones need, the lowest open
    task of their threads, complete tasks whose handover cannot be used, and live tasks whose claims meet
    theirs. `elsewhere` are live tasks of other workstreams on the same repository, under `slug/KEY` (AD-3).
    `hold` is what holds the whole workstream.
    """

    tasks: tuple[TaskView, ...]
    hold: Hold | None = None
    context: tuple[TaskView, ...] = ()
    elsewhere: tuple[TaskView, ...] = ()
