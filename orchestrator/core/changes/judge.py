"""What a new version does to work in flight: a verdict for every item, before anything is changed (FR-016,
EC-4).

Started work is never lost by silence: who drops a started step gives a reason, who redefines one says whether
it is done again. A running attempt is not pre-empted: its step can neither change nor go.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.core.changes.mapping import Definition, StepMapping, completed, faults
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.values import TaskView
from orchestrator.core.plans.plan import PlacedStep
from orchestrator.core.plans.rehearsing.rehearsal import never_reached
from orchestrator.core.plans.rehearsing.script import view_of
from orchestrator.core.terms import AttemptStatus, MappedOutcome, MappingKind, TaskStatus

DONE = frozenset({TaskStatus.COMPLETE, TaskStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """What becomes of one item.

    Its keys, empty where there is none, and the status that its task has then.
    """

    old: str
    new: str
    kind: MappingKind
    outcome: MappedOutcome
    status: TaskStatus
    sentence: str
    reason: str = ""

    @property
    def refused(self) -> bool:
        return self.outcome is MappedOutcome.REFUSED


@dataclass(frozen=True, slots=True)
class Judgement:
    """A dry run. `lines` is the whole mapping; `stuck` are steps that could never start afterwards."""

    lines: tuple[StepMapping, ...]
    verdicts: tuple[ItemVerdict, ...]
    stuck: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[ItemVerdict, ...]:
        return tuple(v for v in self.verdicts if v.refused)

    @property
    def applies(self) -> bool:
        return not self.refused and not self.stuck

    @property
    def kept(self) -> tuple[str, ...]:
        """New keys of the items that keep their state."""
        return self._new(MappedOutcome.KEPT, MappedOutcome.RENAMED)

    @property
    def added(self) -> tuple[str, ...]:
        return self._new(MappedOutcome.ADDED)

    @property
    def again(self) -> tuple[str, ...]:
        return self._new(MappedOutcome.AGAIN)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Old keys of the items that are taken out of the work."""
        return tuple(v.old for v in self.verdicts if v.outcome is MappedOutcome.CANCELLED)

    def _new(self, *outcomes: MappedOutcome) -> tuple[str, ...]:
        return tuple(v.new for v in self.verdicts if v.outcome in outcomes)


def definition_of(placed: PlacedStep) -> Definition:
    """A step of a plan; the facts are what started work was done by, in the order rows give them."""
    step = placed.step
    criteria = (("done", step.done_when), ("entry", step.entry), ("exit", step.exit))
    facts = (step.title, step.kind, step.gate.kind if step.gate else "", step.tool, step.run)
    texts = tuple(f"{kind}: {text}" for kind, several in criteria for text in several)
    return Definition(view_of(placed), step.title, (*facts, *texts))


def judge(
    old: Sequence[Definition], new: Sequence[Definition], lines: Iterable[StepMapping] = ()
) -> Judgement:
    """The verdict for every item under a mapping; steps that it leaves out stay under their key, or go.

    What stands after a step that is done again is done again too, as after any rework (FR-021).
    """
    here, there = (
        {definition.key: definition for definition in old},
        {definition.key: definition for definition in new},
    )
    whole = completed(lines, tuple(here), tuple(there))
    wrong = faults(whole, here, there)
    verdicts: list[ItemVerdict] = []
    for number, line in enumerate(whole):
        if number in wrong:
            verdicts += _all_refused(line, wrong[number])
        else:
            verdicts += _judge_line(line, here, there)
    if not any(v.refused for v in verdicts):
        verdicts = [_refuse_integrated(v, here) for v in _with_what_follows(verdicts, here, there)]
    return Judgement(whole, tuple(verdicts), () if wrong else _stuck(verdicts, there))


def _judge_line(
    line: StepMapping, old: Mapping[str, Definition], new: Mapping[str, Definition]
) -> list[ItemVerdict]:
    if not line.old:
        return [_added(line, key) for key in line.new]
    if not line.new:
        return [_dropped(line, old[key]) for key in line.old]
    carried = _carried(line, [old[key] for key in line.old], new[line.new[0]])
    others = [_absorbed(line, old[key], new[line.new[0]]) for key in line.old[1:]]
    return [carried, *others, *(_added(line, key) for key in line.new[1:])]


def _added(line: StepMapping, key: str) -> ItemVerdict:
    sentence = f"is a part of {line.old[0]} and is done anew" if line.old else "is added"
    return _verdict(line, "", key, MappedOutcome.ADDED, TaskStatus.PENDING, sentence)


def _dropped(line: StepMapping, old: Definition) -> ItemVerdict:
    view, why = old.view, line.reason.strip()
    if refusal := cannot_go(view):
        return _refused(line, view, refusal)
    if view.gate and view.open:
        named = "the undecided gate is dropped, and with it the decision"
        return (
            _cancelled(line, old, f"{named}: {why}")
            if why
            else _refused(line, view, f"{named}; give a reason")
        )
    if _started(old) and not why:
        return _refused(line, view, "it was started; dropping it needs a reason")
    return _cancelled(line, old, f"is dropped: {why}" if why else "is dropped; it was not started")


def _absorbed(line: StepMapping, old: Definition, new: Definition) -> ItemVerdict:
    """A step that another one carries from now on; its attempts stay on record with it."""
    refusal = cannot_go(old.view)
    if old.view.gate and old.view.open and not new.view.gate:
        refusal = (
            refusal or f"an undecided gate cannot become part of the step {new.key}; drop it with a reason"
        )
    return (
        _refused(line, old.view, refusal)
        if refusal
        else _cancelled(line, old, f"is part of {line.new[0]} now")
    )


def _carried(line: StepMapping, olds: Sequence[Definition], new: Definition) -> ItemVerdict:
    old, view = olds[0], olds[0].view
    changed = old.facts != new.facts
    partly_done = (
        line.kind is MappingKind.MERGED and len({definition.view.status in DONE for definition in olds}) == 2
    )
    if refusal := _cannot_carry(line, old, new, changed, partly_done):
        return _refused(line, view, refusal)
    if partly_done and view.status in DONE:
        return _again(line, old, new, "is done again: not everything that it takes over was complete")
    if not _started(old):
        if changed and view.live:
            return _again(
                line, old, new, "was launched but not begun; it is launched again as it is defined now"
            )
        return _kept(line, old, new, "was not started")
    if line.redo:
        return _again(line, old, new, "is done again as it is defined now" if changed else "is done again")
    return _kept(
        line, old, new, "what was done stands under the new definition" if changed else "keeps its state"
    )


def _cannot_carry(
    line: StepMapping, old: Definition, new: Definition, changed: bool, partly_done: bool
) -> str:
    """Why the first old step cannot stand for the new one.

    A merge of which a part is not done is done again anyway.
    """
    running = old.view.live is AttemptStatus.RUNNING
    if new.occupied and old.key != new.key:
        return f"a cancelled task of an earlier migration stands at {new.key}; take another key"
    if running and (changed or line.redo or line.kind in {MappingKind.MERGED, MappingKind.SPLIT}):
        return (
            f"{old.view.executor or 'somebody'} runs it, and it would change; wait for its end or "
            f"declare it failed"
        )
    if not _started(old):
        return ""
    if old.view.gate != new.view.gate:
        return (
            "a started step cannot become a gate, nor a gate a step; drop it with a reason and add the other"
        )
    if changed and line.redo is None and not (partly_done and old.view.status in DONE):
        return "it was started and is defined differently; say whether what was done stands or is done again"
    return ""


def cannot_go(view: TaskView) -> str:
    """Why a task cannot be taken out of the work now; empty when it can."""
    if view.live is AttemptStatus.RUNNING:
        return f"{view.executor or 'somebody'} runs it; wait for its end or declare it failed"
    if view.note:
        return "it waits for a person's answer; answer it first"
    return "it has an open blocker; resolve it first" if view.blocker else ""


def _started(old: Definition) -> bool:
    """A queued attempt alone is no start: nobody has worked on it."""
    return old.tried or old.view.status is not TaskStatus.PENDING


def _with_what_follows(
    verdicts: Sequence[ItemVerdict], old: Mapping[str, Definition], new: Mapping[str, Definition]
) -> list[ItemVerdict]:
    views = _migrated(verdicts, new)
    again: set[str] = set()
    for verdict in verdicts:
        if (
            verdict.outcome is MappedOutcome.AGAIN
            and verdict.new not in again
            and _begun(old[verdict.old].view)
        ):
            again.update(to_redo(views, verdict.new))
    return [_following(v, old[v.old]) if v.new in again and v.old else v for v in verdicts]


def _begun(view: TaskView) -> bool:
    return view.status is not TaskStatus.PENDING


def _following(verdict: ItemVerdict, old: Definition) -> ItemVerdict:
    view = old.view
    touched = _started(old) or view.live
    if verdict.outcome not in {MappedOutcome.KEPT, MappedOutcome.RENAMED} or not touched:
        return verdict
    if view.live is AttemptStatus.RUNNING:
        sentence = (
            f"{view.executor or 'somebody'} runs it, and it follows a step that is done again; "
            f"wait for its end"
        )
        return replace(verdict, outcome=MappedOutcome.REFUSED, sentence=sentence)
    status = _redo_status(view)
    return replace(
        verdict, outcome=MappedOutcome.AGAIN, status=status, sentence="follows a step that is done again"
    )


def _refuse_integrated(verdict: ItemVerdict, old: Mapping[str, Definition]) -> ItemVerdict:
    """What is part of the base branch is done again only after a revert decision (FR-010)."""
    item = old.get(verdict.old)
    fixed = item is not None and item.integrated and item.view.status is TaskStatus.COMPLETE
    if not fixed or verdict.outcome is not MappedOutcome.AGAIN:
        return verdict
    sentence = "its result is part of the base branch; record the revert decision before it is done again"
    return replace(verdict, outcome=MappedOutcome.REFUSED, sentence=sentence)


def _stuck(verdicts: Iterable[ItemVerdict], new: Mapping[str, Definition]) -> tuple[str, ...]:
    """Steps that never start although everything before them ends well; the real scheduler says so."""
    return never_reached({view.key: view for view in _migrated(verdicts, new)})


def _migrated(verdicts: Iterable[ItemVerdict], new: Mapping[str, Definition]) -> list[TaskView]:
    """The new version's steps, with what is done there; everything else as if nothing held it up."""
    done = {v.new: v.status for v in verdicts if v.new and v.status in DONE}
    return [replace(one.view, status=done.get(key, TaskStatus.PENDING)) for key, one in new.items()]


def _verdict(
    line: StepMapping, old: str, new: str, outcome: MappedOutcome, status: TaskStatus, sentence: str
) -> ItemVerdict:
    return ItemVerdict(old, new, line.kind, outcome, status, sentence, line.reason.strip())


def _kept(line: StepMapping, old: Definition, new: Definition, sentence: str) -> ItemVerdict:
    outcome = MappedOutcome.KEPT if old.key == new.key else MappedOutcome.RENAMED
    return _verdict(line, old.key, new.key, outcome, old.view.status, sentence)


def _again(line: StepMapping, old: Definition, new: Definition, sentence: str) -> ItemVerdict:
    return _verdict(line, old.key, new.key, MappedOutcome.AGAIN, _redo_status(old.view), sentence)


def _redo_status(view: TaskView) -> TaskStatus:
    return TaskStatus.BLOCKED if view.blocker else TaskStatus.PENDING


def _cancelled(line: StepMapping, old: Definition, sentence: str) -> ItemVerdict:
    return _verdict(line, old.key, "", MappedOutcome.CANCELLED, TaskStatus.CANCELLED, sentence)


def _refused(line: StepMapping, view: TaskView, sentence: str) -> ItemVerdict:
    return _verdict(line, view.key, "", MappedOutcome.REFUSED, view.status, sentence)


def _all_refused(line: StepMapping, sentence: str) -> list[ItemVerdict]:
    keys = [(key, "") for key in line.old] or [("", key) for key in line.new] or [("", "")]
    refused, pending = MappedOutcome.REFUSED, TaskStatus.PENDING
    return [_verdict(line, old, new, refused, pending, sentence) for old, new in keys]
