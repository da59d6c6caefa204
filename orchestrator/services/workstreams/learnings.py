"""Learnings: what a batch or merge point taught, written where the next executor reads it (BX-7)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.roles import WORKERS
from orchestrator.core.terms import Role, Scope
from orchestrator.models import Learning, Workstream
from orchestrator.queries.workstreams.learnings import batch_names, has_step
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import ReasonAsked, act
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake

#: Characters of the name of a batch or step.
AFTER_LENGTH = 80
LESSON = ReasonAsked(
    ("went_wrong", "worked", "tighten"), "Say what went wrong, what worked, or what needs tightening."
)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=LESSON,
    locks=(Lock.WORKSTREAM,),
    records=(Action.LEARNING_RECORDED,),
    asked=(Role.CONTRIBUTOR, Role.REVIEWER),
)
def record_learning(
    *,
    workstream: Workstream,
    after: str,
    went_wrong: str,
    worked: str,
    tighten: str,
    actor: Actor,
    now: datetime,
) -> Learning:
    """Keep at least one of the three texts for the batch or step named in `after`; it stands in LEARNINGS.md
    and in every later brief."""
    texts = {"went wrong": went_wrong.strip(), "worked": worked.strip(), "needs tightening": tighten.strip()}
    said = "; ".join(f"{name}: {text}" for name, text in texts.items() if text)
    return _keep(workstream, after, list(texts.values()), Action.LEARNING_RECORDED, said, actor, now)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM,),
    records=(Action.NOTHING_TO_RECORD,),
    asked=(Role.CONTRIBUTOR, Role.REVIEWER),
)
def nothing_to_record(*, workstream: Workstream, after: str, actor: Actor, now: datetime) -> Learning:
    """Say that a batch or step taught nothing new, so that nobody is asked again.

    Recorded like any other answer.
    """
    return _keep(workstream, after, ["", "", ""], Action.NOTHING_TO_RECORD, "", actor, now)


def _keep(
    workstream: Workstream,
    after: str,
    texts: list[str],
    action: Action,
    said: str,
    actor: Actor,
    now: datetime,
) -> Learning:
    if not after.strip() or len(after.strip()) > AFTER_LENGTH:
        raise InvalidInput(
            f"Name the batch or step it was learned at, in at most {AFTER_LENGTH} characters.", field="after"
        )
    with unit_of_work():
        locked = locked_workstream(workstream.pk)
        _refuse_unknown(locked, after.strip())
        learning = Learning.objects.create(
            workstream=locked,
            after=after.strip(),
            went_wrong=texts[0],
            worked=texts[1],
            tighten=texts[2],
            author=actor.account,
            recorded_as=actor.label,
            recorded_at=now,
        )
        record(workstream=locked, actor=actor, action=action, subject=after.strip(), reason=said, now=now)
        wake(locked.pk)
    return learning


def _refuse_unknown(workstream: Workstream, after: str) -> None:
    """Nobody would look for what was learned at a place that is not in the plan."""
    batches = batch_names(workstream)
    if after in batches or has_step(workstream, after):
        return
    raise InvalidInput(
        f"{workstream} has no batch or step {after!r}.",
        recovery=f"Name one of its batches ({', '.join(batches)}) or the key of a step."
        if batches
        else "Record it once the plan is approved: it has no steps before.",
        field="after",
    )
