"""Interventions: a task asks for a person, a person answers (LC-6, LC-7)."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.budgets import BUDGET_QUESTIONS, is_stopped, reached
from orchestrator.core.errors import (
    AlreadyDecided,
    InvalidInput,
    MissingNote,
    NotAllowed,
    Refusal,
    WrongState,
)
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.people.roles import PARTICIPANTS, WORKERS
from orchestrator.core.terms import TERMINAL_TASK, InterventionKind, Scope, TaskStatus
from orchestrator.models import HandoffArtifact, Intervention, InterventionChoice, Task
from orchestrator.queries.base.used import asks_about_budget, step_budget, used_for
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record, speaks_of
from orchestrator.services.base.locks import Lock, locked_task
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.people.budget_decisions import decide_budget, why_not_decide

#: How a question about a budget is closed for another one.
PUT_ASIDE = "Put aside: whoever does the step asks something first."
#: How many answers a question may offer, and how long each may be.
MOST_CHOICES = 10
CHOICE_LENGTH = 200
_CARDS = {
    InterventionKind.BREAKER: "A circuit breaker",
    InterventionKind.SILENCE: "A question about who is not heard",
    InterventionKind.BUDGET: "A question about a budget",
    InterventionKind.PLAN_BUDGET: "A question about a budget",
}
NOTE = why(
    "note",
    "A task is flagged with an intervention note.",
    field="intervention_note",
    refusal=MissingNote,
)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=NOTE,
    locks=(Lock.WORKSTREAM,),
    records=(Action.FLAGGED_FOR_HUMAN, Action.INTERVENTION_DONE),
)
def flag_for_human(
    *, task_id: int, note: str, actor: Actor, now: datetime, choices: Sequence[str] = ()
) -> Intervention:
    """Ask for a person; without a note that says what for, MissingNote (422). A running attempt stays
    claimed.

    With `choices`, two or more different ones, the answer has to be one of them. A question about a budget
    is put aside for this one, and asked again behind its answer while the budget is still used up.
    """
    offered = _offered(choices)
    with unit_of_work():
        task = locked_task(task_id)
        if refusal := why_not_flag(task, actor):
            raise refusal
        if task.needs_human:
            put_aside(task, now)
        intervention = open_intervention(task, InterventionKind.QUESTION, note.strip(), actor, now, offered)
        settle(task, now)
        wake(task.workstream_id)
    return intervention


def why_not_flag(task: Task, actor: Actor) -> Refusal | None:
    """Why this actor may not ask for a person at this task."""
    if TaskStatus(task.status) in TERMINAL_TASK:
        return WrongState(f"{task.step.key} is {task.status}; there is nothing left to ask.")
    if task.needs_human and not asks_about_budget(task):
        return WrongState(
            f"{task.step.key} already waits for a person: {task.intervention_note}",
            recovery="Have that answered first. Until then a breadcrumb can say what else has to be known.",
        )
    return flag_for_human.why_not(actor)


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why(
        "answer",
        "There is no answer yet.",
        recovery="Write what whoever does the step has to know, or that nothing is to be done.",
    ),
    only="a circuit breaker, or who is not heard: a person; a budget: one who submits plans",
    locks=(Lock.WORKSTREAM,),
    records=(Action.INTERVENTION_DONE, Action.BUDGET_SET, Action.FLAGGED_FOR_HUMAN),
)
def clear_human_flag(
    *,
    task_id: int,
    answer: str,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
    question: str = "",
) -> Intervention:
    """Mark the question as dealt with; the answer goes to whoever does the step, so it is never blank.

    A question with choices takes one of them. A circuit breaker takes an answer from a person only, and
    failures count anew from then on. A question about a budget takes one of its choices or
    another budget, from a person who submits plans. A card about a damaged file is not cleared by hand: it
    goes when the file is usable again. `seen`, or the text of the `question`, is what the answer was written
    for, where the caller knows: one that was answered since is not taken for the next.
    """
    with unit_of_work():
        task = locked_task(task_id)
        intervention = task.interventions.filter(cleared_at=None).first()
        if intervention is None or _is_another(intervention, seen, question):
            raise _answered_already(task, seen, question)
        _refuse_answer(intervention, answer.strip(), actor)
        if intervention.kind == InterventionKind.BREAKER:
            task.forgive_failures()
        if intervention.kind in BUDGET_QUESTIONS:
            decide_budget(intervention.kind, task, answer, actor, now)
        close_intervention(intervention, task, answer.strip(), actor, now)
        if intervention.kind == InterventionKind.QUESTION:
            ask_again(task, now)
        settle(task, now)
        wake(task.workstream_id)
    return intervention


def open_intervention(
    task: Task, kind: InterventionKind, note: str, actor: Actor, now: datetime, choices: Sequence[str] = ()
) -> Intervention:
    """Flag a locked task that has no open intervention; the caller settles it."""
    task.needs_human, task.intervention_note = True, note
    intervention = Intervention.objects.create(
        task=task, kind=kind, note=note, raised_by=actor.label, raised_at=now
    )
    rows = (
        InterventionChoice(intervention=intervention, position=position, text=text)
        for position, text in enumerate(choices)
    )
    speaks_of(*InterventionChoice.objects.bulk_create(rows))
    _record(intervention, task, actor, Action.FLAGGED_FOR_HUMAN, note, now, {"choices": list(choices)})
    return intervention


def put_aside(task: Task, now: datetime) -> None:
    """Close the question about a budget that a locked task asks, for another one."""
    for card in task.interventions.filter(kind__in=BUDGET_QUESTIONS, cleared_at=None):
        close_intervention(card, task, PUT_ASIDE, ORCHESTRATOR, now)


def ask_again(task: Task, now: datetime) -> None:
    """Ask about the budget again that was put aside at a locked task, while it is used up and nobody is asked
    about it elsewhere."""
    last = task.interventions.filter(kind__in=BUDGET_QUESTIONS).order_by("-pk").first()
    if last is None or last.answer != PUT_ASIDE:
        return
    workstream = task.workstream
    if last.kind == InterventionKind.PLAN_BUDGET:
        asked = Intervention.objects.filter(task__workstream=workstream, kind=last.kind, cleared_at=None)
        wanted = (
            bool(workstream.over_budget) and not is_stopped(workstream.over_budget) and not asked.exists()
        )
    else:
        wanted = bool(reached(step_budget(task), used_for(task)))
    if wanted:
        choices = list(last.choices.values_list("text", flat=True))
        open_intervention(task, InterventionKind(last.kind), last.note, ORCHESTRATOR, now, choices)


def close_intervention(
    intervention: Intervention, task: Task, answer: str, actor: Actor, now: datetime
) -> None:
    """Take the flag of a locked task away; the caller settles it.

    Nobody's name stands for what clears itself.
    """
    intervention.answer, intervention.cleared_at = answer, now
    intervention.cleared_by, intervention.cleared_as = actor.user, actor.label
    intervention.save(update_fields=["answer", "cleared_by", "cleared_as", "cleared_at"])
    task.needs_human, task.intervention_note = False, ""
    _record(intervention, task, actor, Action.INTERVENTION_DONE, answer, now, {"forgiven": task.forgiven})


def ask_about_artifact(artifact: HandoffArtifact, now: datetime) -> None:
    """Raise the card of a damaged handover on its complete task, whose status stays; the caller holds the
    lock.

    A task has one card, about the file that was found damaged first.
    """
    task = _behind(artifact)
    if artifact.event not in RESULT_EVENTS or task.status != TaskStatus.COMPLETE or task.needs_human:
        return
    note = f"A file that was handed over cannot be used: {artifact.problem}. What builds on it waits."
    open_intervention(task, InterventionKind.ARTIFACT, note, ORCHESTRATOR, now)
    settle(task, now)


def artifact_settled(artifact: HandoffArtifact, said: str, now: datetime) -> None:
    """Clear the card of a task whose handover is usable again or no longer counts.

    The caller holds the lock.
    """
    task = _behind(artifact)
    if close_artifact_card(task, said, now):
        settle(task, now)


def close_artifact_card(task: Task, said: str, now: datetime) -> bool:
    """Close the open card about a damaged file, if there is one.

    The caller holds the lock and saves the task.
    """
    card = task.interventions.filter(kind=InterventionKind.ARTIFACT, cleared_at=None).first()
    if card is not None:
        close_intervention(card, task, said, ORCHESTRATOR, now)
    return card is not None


def _behind(artifact: HandoffArtifact) -> Task:
    return Task.objects.select_related("step", "workstream").get(pk=artifact.attempt.task_id)


def _is_another(intervention: Intervention, seen: int | None, question: str) -> bool:
    """Whether the open question is not the one that was read."""
    return seen not in (None, intervention.pk) or question.strip() not in ("", intervention.note.strip())


def _answered_already(task: Task, seen: int | None, question: str) -> WrongState:
    """Names who answered the question that was seen, or else the last one, and when."""
    cleared = task.interventions.exclude(cleared_at=None)
    if seen is not None:
        cleared = cleared.filter(pk=seen)
    if question:
        cleared = cleared.filter(note=question.strip())
    last = cleared.order_by("-cleared_at", "-pk").first()
    if last is None or last.cleared_at is None:
        if task.needs_human:
            return WrongState(
                f"{task.step.key} asks something else: {task.intervention_note}",
                recovery="Read what it asks now, then answer that.",
            )
        return WrongState(f"{task.step.key} does not wait for a person.")
    said = f"The question of {task.step.key} was answered already, by {last.cleared_as}"
    return AlreadyDecided(
        f"{said}: {last.answer}" if last.answer else f"{said}.", at=last.cleared_at.isoformat()
    )


def _offered(choices: Sequence[str]) -> list[str]:
    """The choices without outer blanks; InvalidInput when a person could not choose between them."""
    offered = [text for choice in choices if (text := " ".join(choice.split()))]
    if offered and not 2 <= len(offered) <= MOST_CHOICES:
        raise InvalidInput(f"A question offers 2 to {MOST_CHOICES} choices, or none.", field="choices")
    if len(set(offered)) < len(offered):
        raise InvalidInput("The choices have to differ from one another.", field="choices")
    if any(len(text) > CHOICE_LENGTH for text in offered):
        raise InvalidInput(f"A choice has at most {CHOICE_LENGTH} characters.", field="choices")
    return offered


def why_not_answer(intervention: Intervention, actor: Actor) -> Refusal | None:
    """Why this actor may not answer the question, whatever the answer is."""
    if refusal := clear_human_flag.why_not(actor):
        return refusal
    if intervention.kind == InterventionKind.ARTIFACT:
        return WrongState(
            "The card stands until the file is usable again.",
            recovery="Use one of the four ways out on the workstream's page; the card then goes by itself.",
        )
    if (card := _CARDS.get(InterventionKind(intervention.kind))) and not actor.is_person:
        return NotAllowed(
            f"{card} is answered by a person, not by an agent or a tool.",
            recovery="Ask a person to answer it on the interventions page.",
        )
    return why_not_decide(actor) if intervention.kind in BUDGET_QUESTIONS else None


def _refuse_answer(intervention: Intervention, answer: str, actor: Actor) -> None:
    offered = list(intervention.choices.values_list("text", flat=True))
    if offered and answer not in offered and intervention.kind not in BUDGET_QUESTIONS:
        raise InvalidInput(f"Answer with one of: {'; '.join(offered)}.", field="answer")
    if refusal := why_not_answer(intervention, actor):
        raise refusal


def _record(
    intervention: Intervention,
    task: Task,
    actor: Actor,
    action: Action,
    reason: str,
    now: datetime,
    data: dict[str, object],
) -> None:
    record(
        workstream=task.workstream,
        actor=actor,
        action=action,
        subject=task.step.key,
        reason=reason,
        now=now,
        data={
            "task": task.step.key,
            "intervention": intervention.pk,
            "kind": intervention.kind,
            "needs_human": task.needs_human,
            **data,
        },
    )
