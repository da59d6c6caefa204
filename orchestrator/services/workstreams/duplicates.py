"""Suspected duplicates: merge, link, close or override, by a person, before any execution.

Requirements: FR-003, AS-5, EC-5.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from orchestrator.core.actions import Action
from orchestrator.core.errors import AlreadyDecided, InvalidInput, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import SIGNERS
from orchestrator.core.terms import DuplicateOutcome, Scope
from orchestrator.models import DuplicateDecision, HistoryEntry, Workstream
from orchestrator.queries.work.duplicates import decisions, was_claimed
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record, speaks_of
from orchestrator.services.base.locks import Lock, locked_pair, locked_workstreams, outside_transactions
from orchestrator.services.base.rows import InsertRows
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.workstreams.needs import hand_over_needs, wake_needing
from orchestrator.services.workstreams.workstreams import put_away

#: Decisions that end this workstream.
ENDING = frozenset({DuplicateOutcome.MERGE, DuplicateOutcome.CLOSE})
#: Suspects that are decided about in one transaction, which locks them all until it ends.
TOGETHER: Final = 100
_INSERT: Final = InsertRows(DuplicateDecision)


class _SaidOfSuspects(NamedTuple):
    """What a person says of one suspect, or of several: what is masked in it and who may was asked before."""

    workstream_id: int
    outcome: DuplicateOutcome
    rationale: str
    actor: Actor
    now: datetime

    def decision(self, workstream: Workstream, other: Workstream) -> DuplicateDecision:
        return DuplicateDecision(
            workstream=workstream,
            other=other,
            outcome=self.outcome,
            rationale=self.rationale,
            decided_by=self.actor.account,
            decided_as=self.actor.label,
            decided_at=self.now,
        )


class DecidedTogether(NamedTuple):
    """What became of several suspects: what was decided now, and the decisions that were there already."""

    made: list[DuplicateDecision]
    kept: list[DuplicateDecision]


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    reason=why("rationale", "Say why the two are, or are not, the same work."),
    person="A suspected duplicate is decided by a person.",
    locks=(Lock.WORKSTREAM, Lock.NEEDS),
    records=(Action.DUPLICATE_DECIDED, Action.NAMED_AS_DUPLICATE),
)
def decide_duplicate(
    *, workstream_id: int, other_id: int, outcome: str, rationale: str, actor: Actor, now: datetime
) -> DuplicateDecision:
    """Decide about another workstream, suspected or named by the person, with the rationale. Locks both.

    Merge archives this one, which goes on in the other; close archives it as a duplicate; link lets both go
    on and shows them together; override says that it is no duplicate. Deciding again corrects the earlier
    decision. WrongState once an attempt was claimed.
    """
    chosen = _outcome(outcome)
    return _decide(_SaidOfSuspects(workstream_id, chosen, rationale.strip(), actor, now), other_id)


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    reason=why("rationale", "Say why they are, or are not, the same work."),
    person="A suspected duplicate is decided by a person.",
    locks=(Lock.WORKSTREAM, Lock.NEEDS),
    records=(Action.DUPLICATE_DECIDED, Action.NAMED_AS_DUPLICATE),
    in_steps=True,
)
def decide_duplicates(
    *,
    workstream_id: int,
    others: Sequence[int],
    outcome: str,
    rationale: str,
    actor: Actor,
    now: datetime,
) -> DecidedTogether:
    """Decide the same about several suspects with one rationale: link or override, which end nothing.

    Who was decided about before, on either side, keeps that decision; AlreadyDecided when all were. A hundred
    are decided in one transaction, so doing it again after a crash goes on with those that are left.
    """
    outside_transactions()
    if (chosen := _outcome(outcome)) in ENDING:
        raise InvalidInput(
            f"{outcome.capitalize()} is decided about one workstream.",
            recovery="Decide about that one by itself; link or override the rest.",
            field="outcome",
        )
    if not others:
        raise InvalidInput("No workstream is named.", recovery="Reload the page.", field="other")
    said = _SaidOfSuspects(workstream_id, chosen, rationale.strip(), actor, now)
    wanted, done = list(dict.fromkeys(others)), DecidedTogether([], [])
    for start in range(0, len(wanted), TOGETHER):
        made, kept = _decide_together(said, wanted[start : start + TOGETHER])
        done.made.extend(made)
        done.kept.extend(kept)
    if not done.made:
        raise _all_decided(done.kept)
    return done


def find_other(name: str) -> Workstream:
    """The workstream that a person names by its slug; InvalidInput or NotFound with the field."""
    if not name.strip():
        raise InvalidInput("No other workstream is named.", recovery="Write its slug.", field="other")
    workstream = Workstream.objects.filter(slug=name.strip()).first()
    if workstream is None:
        raise NotFound(
            f"There is no workstream {name.strip()[:80]!r}.",
            recovery="Write its slug, as its page shows it.",
            field="other",
        )
    return workstream


def _outcome(name: str) -> DuplicateOutcome:
    if name not in set(DuplicateOutcome):
        wanted = ", ".join(DuplicateOutcome)
        raise InvalidInput(f"The decision is one of {wanted}, not {name[:40]!r}.", field="outcome")
    return DuplicateOutcome(name)


def why_not_decide_duplicate(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor decides about no suspect of the workstream."""
    return why_duplicates_are_settled(workstream) or decide_duplicate.why_not(actor)


def why_duplicates_are_settled(workstream: Workstream) -> Refusal | None:
    """Why nobody decides about a suspect of the workstream any more: it is closed, or was begun."""
    if not workstream.is_open:
        return WrongState(f"{workstream} is {workstream.status}; nothing is decided about it any more.")
    if was_claimed(workstream):
        return WrongState(
            f"Work on {workstream} has begun; duplicates are decided before any execution.",
            recovery="Archive one of the two workstreams with the reason instead.",
        )
    return None


def _decide(said: _SaidOfSuspects, other_id: int) -> DuplicateDecision:
    """One decision in a transaction of its own, behind the locks of both workstreams."""
    _refuse_itself(said, [other_id])
    with unit_of_work():
        workstream, other = locked_pair(said.workstream_id, other_id)
        if refusal := why_not_decide_duplicate(workstream, said.actor):
            raise refusal
        decision = said.decision(workstream, other)
        known = DuplicateDecision.objects.filter(workstream=workstream, other=other)
        decision.pk = known.values_list("pk", flat=True).first()
        earlier = _entry_of(decision) if decision.pk else None
        decision.save()
        _apply(decision, earlier, said.actor, said.now)
    return decision


def _decide_together(said: _SaidOfSuspects, others: Sequence[int]) -> DecidedTogether:
    """Decisions that end nothing, in one transaction behind the locks of all the workstreams."""
    _refuse_itself(said, others)
    with unit_of_work():
        locked = locked_workstreams([said.workstream_id, *others])
        workstream = locked[said.workstream_id]
        if refusal := why_not_decide_duplicate(workstream, said.actor):
            raise refusal
        known = decisions(workstream)
        made = [said.decision(workstream, locked[other]) for other in others if other not in known]
        _INSERT(made)
        for decision in made:
            speaks_of(decision)
            _apply(decision, None, said.actor, said.now)
    return DecidedTogether(made, [known[other] for other in others if other in known])


def _refuse_itself(said: _SaidOfSuspects, others: Sequence[int]) -> None:
    if said.workstream_id in others:
        raise InvalidInput("A workstream is no duplicate of itself.", field="other")


def _all_decided(kept: Sequence[DuplicateDecision]) -> AlreadyDecided:
    last = max(kept, key=lambda decision: decision.decided_at)
    which = "It is" if len(kept) == 1 else f"All {len(kept)} are"
    return AlreadyDecided(
        f"{which} decided already, last by {last.decided_as}.", at=last.decided_at.isoformat()
    )


def _entry_of(decision: DuplicateDecision) -> HistoryEntry | None:
    """The newest entry about the pair, which deciding again corrects."""
    entries = HistoryEntry.objects.filter(
        workstream=decision.workstream_id, action=Action.DUPLICATE_DECIDED, subject=decision.other.slug
    )
    return entries.order_by("-number").first()


def _apply(decision: DuplicateDecision, earlier: HistoryEntry | None, actor: Actor, now: datetime) -> None:
    """What the decision does to the locked workstreams, and its entry in the history of both.

    Nobody is woken by a link or an override: no task may start or has to wait because of it.
    """
    workstream, other = decision.workstream, decision.other
    facts: dict[str, object] = {"outcome": decision.outcome, "other": other.slug}
    if decision.outcome == DuplicateOutcome.MERGE:
        _refuse_closed(other)
        hand_over_needs(closed=workstream, into=other, actor=actor, now=now)
        workstream.merged_into = other
        facts["merged_into"] = other.slug
    if decision.outcome in ENDING:
        facts |= put_away(workstream, now)
    record(
        workstream=workstream,
        actor=actor,
        action=Action.DUPLICATE_DECIDED,
        subject=other.slug,
        reason=decision.rationale,
        now=now,
        data=facts,
        corrects=earlier,
    )
    record(
        workstream=other,
        actor=actor,
        action=Action.NAMED_AS_DUPLICATE,
        subject=workstream.slug,
        reason=decision.rationale,
        now=now,
        data={"outcome": decision.outcome, "by": workstream.slug},
    )
    if decision.outcome in ENDING:
        wake(workstream.pk)
        wake(other.pk)
        wake_needing(workstream)


def _refuse_closed(other: Workstream) -> None:
    if not other.is_open:
        raise WrongState(
            f"{other} is {other.status}; work cannot go on in it.",
            recovery="Close this workstream as a duplicate, link the two, or override.",
        )
