"""One act for several items of the inbox of one kind, each for itself: what is refused says why, and holds up
none (FR-002).
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest

from orchestrator.core.errors import InvalidInput, Refusal, WrongState
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.queries.workstreams.in_hands import held_assignment
from orchestrator.queries.workstreams.inbox import InboxItem, in_hands
from orchestrator.queries.workstreams.inbox_filter import InboxFilter
from orchestrator.services.duties import inbox_of
from orchestrator.services.people.executors import register_own
from orchestrator.services.people.interventions import clear_human_flag
from orchestrator.services.review.gates import approve_gate
from orchestrator.services.work.claims import claim
from orchestrator.services.work.releases import release
from orchestrator.services.workstreams.learnings import nothing_to_record
from orchestrator.web.acting import Viewer, does, now, number_in, typed
from orchestrator.web.wording import message_of, way_out_of

#: Items that one act takes.
MOST: Final = 50


class Choosable(NamedTuple):
    """A section of the inbox, what its items are called, the sources they come from, what is done to them."""

    section: str
    title: str
    sources: tuple[str, ...]
    done: str


GATES: Final = Choosable("gate", "gates", ("gate",), "signed")
QUESTIONS: Final = Choosable("question", "questions", ("question",), "answered")
CLAIMS: Final = Choosable("claim", "steps to be claimed", ("claim",), "claimed")
HELD: Final = Choosable("held", "steps that you hold", ("held",), "given back")
LESSONS: Final = Choosable("lesson", "batches and merge points", ("batch", "merge-point"), "recorded")


class ChosenItem(NamedTuple):
    """What was chosen: the number of its row, what of it the list showed (None where that cannot change), and
    its item while it waits."""

    row: int
    seen: int | None
    item: InboxItem | None


One = Callable[[ChosenItem], str]


@does(approve_gate)
def _sign(request: HttpRequest, who: Viewer) -> str:
    """Sign the chosen gates with one note."""
    note = typed(request, "note")

    def one(chosen: ChosenItem) -> str:
        review = approve_gate(
            task_id=chosen.row,
            seen=chosen.seen,
            actor=who.actor,
            now=now(),
            reason=note,
            withdraw_seconds=settings.WITHDRAW_SECONDS,
        )
        seconds = settings.WITHDRAW_SECONDS if review.effective_at else 0
        more = f"; for {seconds} seconds you can withdraw that, under Gates" if seconds else ""
        return f"{review.attempt.task.step.key} of {review.attempt.task.workstream} is signed{more}."

    return _each(request, who, GATES, one)


@does(clear_human_flag)
def _answer(request: HttpRequest, who: Viewer) -> str:
    """Give the chosen questions the same answer."""
    answer = typed(request, "answer")
    clear_human_flag.refuse_blank(answer=answer)

    def one(chosen: ChosenItem) -> str:
        row, seen = chosen.row, chosen.seen
        done = clear_human_flag(task_id=row, answer=answer, actor=who.actor, now=now(), seen=seen)
        return f"{done.task.step} of {done.task.workstream} is answered."

    return _each(request, who, QUESTIONS, one)


@does(claim, register_own)
def _claim(request: HttpRequest, who: Viewer) -> str:
    """Claim the chosen steps: a person may hold several."""

    def one(chosen: ChosenItem) -> str:
        executor = register_own(user=who.user, now=now())
        task = claim(attempt_id=chosen.row, executor=executor, actor=who.actor, now=now()).attempt.task
        return f"You hold {task.step} of {task.workstream} now."

    return _each(request, who, CLAIMS, one)


@does(nothing_to_record)
def _nothing(request: HttpRequest, who: Viewer) -> str:
    """Say of the chosen batches and merge points that they taught nothing new."""

    def one(chosen: ChosenItem) -> str:
        if (item := chosen.item) is None:
            raise WrongState("Somebody has said already what it taught.")
        uuid, after = item.entry.place
        workstream = find_workstream(str(uuid))
        nothing_to_record(workstream=workstream, after=str(after), actor=who.actor, now=now())
        return f"{after} of {workstream} taught nothing new."

    return _each(request, who, LESSONS, one)


@does(release, register_own)
def _give_back(request: HttpRequest, who: Viewer) -> str:
    """Give the chosen steps back, with how far they are."""
    breadcrumb = typed(request, "breadcrumb")

    def one(chosen: ChosenItem) -> str:
        held = held_assignment(chosen.row)
        executor = register_own(user=who.user, now=now())
        task = release(
            attempt_id=held.attempt_id,
            token=held.token,
            executor=executor,
            breadcrumb=breadcrumb,
            actor=who.actor,
            now=now(),
        ).task
        return f"You have given {task.step} of {task.workstream} back; it can be claimed again."

    return _each(request, who, HELD, one)


def _each(request: HttpRequest, who: Viewer, kind: Choosable, one: One) -> str:
    """Act on what was chosen, one after the other."""
    wanted = list(dict.fromkeys(request.POST.getlist("item")))
    if not wanted or any(name.rpartition(":")[0] not in kind.sources for name in wanted):
        raise InvalidInput(
            f"Choose {kind.title}, and nothing else.",
            recovery="Filter the inbox by what it is.",
            field="item",
        )
    if len(wanted) > MOST:
        raise InvalidInput(
            f"Choose at most {MOST} items at a time.", recovery="Choose fewer of them.", field="item"
        )
    box = in_hands(who.user) if kind is HELD else inbox_of(who.user, who.roles, now())
    only = InboxFilter(kind=kind.section)
    listed = {item.name: item for item in box.page(only, 0, None)}
    results = (_result(request, who, kind, _chosen(name, listed), one) for name in wanted)
    return " ".join(filter(None, results))


def _chosen(text: str, listed: Mapping[str, InboxItem]) -> ChosenItem:
    name, _, seen = text.partition("@")
    return ChosenItem(number_in(name.rpartition(":")[2]), number_in(seen) or None, listed.get(name))


def _result(request: HttpRequest, who: Viewer, kind: Choosable, chosen: ChosenItem, one: One) -> str:
    """What became of one; a refusal is a message of its own."""
    reader, item = who.user.get_username(), chosen.item
    try:
        return one(chosen)
    except Refusal as refusal:
        about = f" {item.entry.title} of {item.entry.workstream}" if item else ""
        said = f"{message_of(refusal, reader)} {way_out_of(refusal, reader)}"
        messages.error(request, f"Not {kind.done}{about}: {said}")
        return ""


BULK: Final = {
    "sign": _sign,
    "answer": _answer,
    "claim": _claim,
    "nothing": _nothing,
    "give-back": _give_back,
}
