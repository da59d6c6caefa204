"""Every sentence that says where work stands and why it does not go on (FR-015).

The scheduler puts its verdicts into these words; pages, briefs, dashboards and the inbox ask here for what
they say beside them. Whoever wants a sentence to read otherwise changes it here and nowhere else.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator.core.engine.attention import WorkstreamCounts, lifecycle, signals
from orchestrator.core.engine.signatures import SignOff
from orchestrator.core.engine.together import together
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import (
    AttemptStatus,
    Lifecycle,
    RootKind,
    Signal,
    TaskStatus,
    VersionStatus,
    WorkstreamStatus,
)

SHORT = 160
#: Steps of which their state is told where something waits for several; the others are counted.
STATES_TOLD: Final = 3
#: What a failed task waits for; the attempt that failed is named before it.
_REQUEUED: Final = "waits for a person to re-queue it"
_UNACCEPTED: Final = "nobody has accepted it"
#: Of a task that is no longer in the plan.
DROPPED: Final = "cancelled: a later version of the plan dropped it"
#: Of a task that its plan's source gave up, and that no condition skipped.
SKIPPED_IN_SOURCE: Final = "skipped: cancelled in the source of the plan"


def where_it_stands(task: TaskView) -> str:
    """What a task says of itself, with what it asks, or why it failed or cannot go on."""
    detail = task.note or (task.failure if not task.live else "") or task.blocker
    state = as_holder(task)
    return f"{state}: {_short(detail)}" if detail and task.open else state


def as_holder(task: TaskView) -> str:
    """What others say of a task they wait for: `A2: running on builder-1`."""
    if not task.open:
        return _ended(task)
    if task.note:
        return "waits for a person"
    if task.live is AttemptStatus.RUNNING:
        return f"running on {task.executor}{', blocked' if task.blocker else ''}"
    if task.live and task.blocker:
        return "blocked"
    if task.live and task.gate:
        return waits_for_signatures(task.sign_off)
    if task.live and task.assigned:
        return f"ready, waits for {task.assigned}, to which its thread is assigned"
    if task.live:
        return "ready, waits for an executor to claim it"
    if task.failure:
        return f"failed, {_REQUEUED}"
    return "blocked" if task.blocker else "not started"


def _ended(task: TaskView) -> str:
    if task.artifact:
        return f"complete, but {task.artifact}"
    other = {
        TaskStatus.SKIPPED: task.skipped or "skipped: its condition is false",
        TaskStatus.CANCELLED: "cancelled",
    }
    return other.get(task.status, "complete")


def skips(condition: str, because: str, _task: TaskView) -> str:
    return f"skipped: its condition “{condition}” is false, because {because}"


def undecided(condition: str, because: str, _task: TaskView) -> str:
    return f"waits until its condition “{condition}” is decided: {because}"


def launched(gate: bool) -> str:
    return "waits for sign-off" if gate else "launched, waits for an executor to claim it"


def to_be_launched(gate: bool) -> str:
    """What a task says that the next round will launch: nobody can claim or sign it yet."""
    return f"waits for the next round, which {'puts it up for sign-off' if gate else 'launches it'}"


def waits_for(other: TaskView, *beside: TaskView) -> str:
    """`waits for A4: not started`, `waits for A4 + B3; A4: running on builder-1; B3: not started`."""
    if not beside:
        return f"waits for {other.key}: {as_holder(other)}"
    awaited = (other, *beside)
    shown = [f"{one.key}: {as_holder(one)}" for one in awaited[:STATES_TOLD]]
    more = [f"{len(awaited) - STATES_TOLD} more"] if len(awaited) > STATES_TOLD else []
    return f"waits for {'; '.join([together([one.key for one in awaited]), *shown, *more])}"


def waits_for_batch(first: TaskView) -> str:
    """A batch waits for all of the batch before it; its first open task is named."""
    if first.gate:
        return f"waits for gate {first.key}: {as_holder(first)}"
    return f"waits for the batch before it, {first.key}: {as_holder(first)}"


def artifact(other: TaskView) -> str:
    return f"waits for the handoff artifact of {other.key}: {other.artifact}"


def held(task: TaskView, other: TaskView) -> str:
    """A launched task whose ground was lost: `running on builder-1, held: …`."""
    holds = held_by(other.key, other.artifact)
    return f"{as_holder(task)}, {holds}" if task.live is AttemptStatus.RUNNING else holds


def held_by(key: str, problem: str) -> str:
    return f"held: the handoff artifact of {key} cannot be used: {problem}"


def blocked(task: TaskView) -> str:
    return f"blocked: {_short(task.blocker)}"


def contends(wanted: str, holder: TaskView) -> str:
    return f"waits for {wanted}, held by {holder.key}: {as_holder(holder)}"


def not_committed(path: str) -> str:
    """What is the matter with a handover that was announced and is not in the workspace yet."""
    return f"{path} is not committed yet"


def waits_for_signatures(sign_off: SignOff) -> str:
    """`waits for sign-off by reviewer or approver, 1 of 2 signed: rita`; once it is decided, for that to take
    effect."""
    if sign_off.decided:
        signed, rejected = f"signed by {' and '.join(sign_off.signed)}", sign_off.rejected_by
        return f"{f'rejected by {rejected}' if rejected else signed}, which takes effect soon"
    by = (" and " if sign_off.each else " or ").join(sign_off.asked)
    waits = "waits for sign-off" + (f" by {by}" if by else "")
    if sign_off.needed == 1 and not sign_off.signed:
        return waits
    names = f": {', '.join(sign_off.signed)}" if sign_off.signed else ""
    return f"{waits}, {sign_off.count} of {sign_off.needed} signed{names}"


# -- what pages say beside the chip of a task, and in the inbox


def failed_in(number: int) -> str:
    """Of a task whose attempt with this number failed, while nobody has decided what follows."""
    return f"failed in attempt {number}, {_REQUEUED}"


def waits_for_answer() -> str:
    return "waits for a person to answer"


def beside_ready(sentence: str) -> str:
    """The sentence of a launched task where its chip already says that it is ready."""
    return sentence.removeprefix("ready, ")


def failed_with(number: int, error: str) -> str:
    return f"Attempt {number} failed: {error or 'no error text was given'}"


def to_be_claimed() -> str:
    return "Launched; claim it and do it, or let an agent do it."


def launches_next() -> str:
    """Of a task that the last round let start and that is not queued yet."""
    return "It is being queued; open the page again in a moment."


def not_ready(sentence: str) -> str:
    return f"It is not ready: {sentence.rstrip('.')}."


def nothing_to_sign(sentence: str) -> str:
    return f"Nothing to sign now: {sentence}."


# -- what an act leaves a task waiting for


def requeued_by_someone(key: str) -> str:
    return f"{key} waits until someone re-queues it."


def flagged(key: str) -> str:
    return f"{key} waits for a person now; it stands among the interventions."


def blocked_by_it(key: str) -> str:
    return f"{key} waits until it is resolved."


# -- what holds all tasks of a workstream


def closed(status: WorkstreamStatus | str) -> str:
    return f"the workstream is {status}"


def waits_for_approval() -> str:
    return "waits for the plan to be approved"


def waits_until(effective_at: datetime) -> str:
    return f"waits for {effective_at:%Y-%m-%d %H:%M} UTC, when the plan takes effect"


def waits_for_prehandoff() -> str:
    return "waits for the pre-handoff review to be signed"


def waits_for_workstream(slug: str, status: WorkstreamStatus | str) -> str:
    archived = status == WorkstreamStatus.ARCHIVED
    state = "archived, so it will not be completed" if archived else status
    return f"waits for the workstream {slug} to be completed: it is {state}"


def diverged() -> str:
    """Database and workspace came apart (F22 to F24)."""
    return "waits until an approver has decided what is right: workspace and database do not belong together"


# -- what a workstream waits for, in the portfolio and the inbox


#: Of a workstream without work whose newest version was decided about.
DECIDED_PLAN: Final = {
    VersionStatus.WITHDRAWN: "The plan was withdrawn; its author submits the next version.",
    VersionStatus.SENT_BACK: "The plan was sent back; its author submits the next version.",
    VersionStatus.APPROVED: "The plan is approved; work begins when it takes effect.",
}


def workstream(counts: WorkstreamCounts, now: datetime, root: str = "", last: str = "") -> str:
    """What the workstream waits for, the most urgent thing first: `root` says what its front waits for,
    `last` what happened last in it."""
    raised, state = signals(counts, now), lifecycle(counts)
    if state in (Lifecycle.ACCEPTED, Lifecycle.ARCHIVED):
        return "Closed."
    if Signal.BLOCKED in raised:
        return f"{_tasks(counts.blocked_tasks)} blocked. {root}".rstrip()
    if state == Lifecycle.FINISHED:
        return f"All tasks are done; {_UNACCEPTED}."
    if Signal.STALLED in raised:
        days = f"No update for {_days(counts.updated_at, now)} days"
        return f"{days}{f', the last: {last}' if last else ''}. {root}".rstrip()
    if Signal.OLDIES in raised:
        return f"Created {_days(counts.created_at, now)} days ago and nothing is done. {root}".rstrip()
    if state == Lifecycle.PLANNING:
        return "The plan is not approved yet."
    return root or f"{_tasks(counts.open_tasks)} open."


def finished(tasks: int) -> str:
    return f"All {tasks} tasks are done; {_UNACCEPTED}."


def unsigned_prehandoff() -> str:
    return "The pre-handoff review is not signed, so nothing starts."


def needs_workstreams(titles: list[str]) -> str:
    return f"Waits for {', '.join(sorted(titles))}."


def undecided_version(number: int) -> str:
    """Of a workstream that goes on under its plan while a version of it is in review (LC-3)."""
    return f"Version {number} of its plan waits for a decision."


def promised_version(number: int) -> str:
    """Of a workstream whose next version is approved and not in effect yet (LC-3, FR-016)."""
    return f"Version {number} of its plan is approved and brings more work."


# -- the whole chain, from a task to what holds it in the end

TO_DO: Final[Mapping[RootKind, str]] = {
    RootKind.QUESTION: "answer it",
    RootKind.FAILURE: "re-queue it",
    RootKind.BLOCKER: "resolve the blocker",
    RootKind.ARTIFACT: "bring the file back, or declare the result failed",
    RootKind.GATE: "sign or reject it",
    RootKind.UNCLAIMED: "claim it",
    RootKind.RUNNING: "let it end, or ask who runs it",
    RootKind.WRITING: "let the workspace write it",
    RootKind.PLAN: "approve the plan or send it back",
    RootKind.NOT_EFFECTIVE: "wait, or withdraw the approval",
    RootKind.PREHANDOFF: "sign the pre-handoff review",
    RootKind.BUDGET: "set another budget",
    RootKind.DIVERGENCE: "decide which copy is right",
    RootKind.ACCEPTANCE: "accept it, or add tasks for gaps",
    RootKind.ARCHIVED: "submit a version that does not need it",
    RootKind.CONDITION: "submit a version with another condition",
    RootKind.CIRCLE: "submit a version without the circle",
    RootKind.ROUND: "let the next round come",
    RootKind.NOTHING: "",
}
#: Longer chains are named with their first and last stations only.
_STATIONS: Final = 6
#: Of a gate that is decided already.
WITHDRAW_DECISION: Final = "wait, or withdraw the decision"


def root_stands(kind: RootKind, detail: str, sentence: str, owner: str = "") -> str:
    """What a chain ends at: `detail` is a question, an error or the like, `sentence` what its task says,
    `owner` who sees to a blocker."""
    said = _short(detail)
    stands = {
        RootKind.QUESTION: f"it asks “{said}”",
        RootKind.FAILURE: f"its last attempt failed with “{said}”",
        RootKind.BLOCKER: f"it is blocked by “{said}”{f', which {owner} sees to' if owner else ''}",
        RootKind.ARTIFACT: f"its handoff artifact cannot be used: {said}",
        RootKind.WRITING: f"its handoff artifact is on its way: {said}",
        RootKind.UNCLAIMED: sentence if said == "" else f"{sentence} ({said})",
        RootKind.ACCEPTANCE: f"all of its tasks are done and {_UNACCEPTED}",
        RootKind.CIRCLE: "each of them waits for the other",
        RootKind.ROUND: "the next round looks at it",
    }
    return stands.get(kind, sentence).removesuffix(".")


def detail_of(kind: RootKind, task: TaskView) -> str:
    """The question, error, note or file that a root is about."""
    details = {RootKind.QUESTION: task.note, RootKind.FAILURE: task.failure, RootKind.BLOCKER: task.blocker}
    return details.get(kind, task.artifact)


def chain_of(names: Sequence[str], stands: str, beside: Sequence[str] = ()) -> str:
    """`E1 waits for MP1, which waits for B1: it asks: half-up or half-even?`; `beside` is what the first one
    waits for as well: `D1 waits for B2 + C2; B2 waits for A1: …`."""
    first, *others = names
    if others and beside:
        rest = chain_of(others, stands)
        return f"{first} waits for {together([others[0], *beside])}; {rest}"
    if len(others) >= _STATIONS:
        left_out = len(others) - 3
        others = [*others[:2], f"{left_out} more, of which the last waits for {others[-1]}"]
    way = f"{first} waits for {others[0]}" if others else first
    return f"{way}{''.join(f', which waits for {name}' for name in others[1:])}: {stands}"


def who_could_claim(free: Sequence[str], busy: int, roles: Collection[str]) -> str:
    """Who could take a task that nobody has claimed: `builder-1 is free`, `all 3 who could are busy`."""
    if free:
        names = ", ".join(free[:3]) + (f" and {len(free) - 3} more" if len(free) > 3 else "")
        return f"{names} {'is' if len(free) == 1 else 'are'} free"
    if busy:
        return "the one who could is busy" if busy == 1 else f"all {busy} who could are busy"
    return f"no executor has the role {' or '.join(sorted(roles))}"


def lasting(span: timedelta) -> str:
    """A length of time in its largest whole unit: "3 days", "2 hours", "under a minute"."""
    seconds = int(span.total_seconds())
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = seconds // size
        if count >= 1:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "under a minute"


def last_act(action: str, subject: str, actor: str) -> str:
    return f"{action} {subject} ({actor})"


def _tasks(count: int) -> str:
    return f"{count} task is" if count == 1 else f"{count} tasks are"


def _days(since: datetime, now: datetime) -> int:
    return (now.astimezone(UTC) - since.astimezone(UTC)).days


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"
