"""What is answered to who asks for the next step: the claim, or what is in the way of one.

Requirements: FR-015, FR-027.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from django.urls import reverse

from orchestrator.contract.attempts import NextFacts, WaitingWork
from orchestrator.contract.why import WhyFacts
from orchestrator.core.engine.why import front, most_urgent
from orchestrator.core.errors import InvalidInput
from orchestrator.core.limits import RETRY_SECONDS
from orchestrator.core.people.roles import suits
from orchestrator.core.terms import OPEN_WORKSTREAM, Reason, WorkstreamStatus
from orchestrator.models import Attempt, Executor, Verification, WorkflowVersion, Workstream
from orchestrator.queries.base.order import rank
from orchestrator.queries.base.roles import doers_of, roles_of
from orchestrator.queries.engine.explanations import explained
from orchestrator.queries.engine.threads import sole_executor
from orchestrator.queries.work.attempt_facts import claim_facts
from orchestrator.queries.work.tasks import find_workstream_by_slug
from orchestrator.queries.work.work import Wanted, free_attempts, waiting_attempts
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.base.actor import Actor
from orchestrator.services.freeing import why_task, why_workstream
from orchestrator.services.next_step import NextStep, claim_next

#: So many steps for others, and so many workstreams, are told of.
FEW: Final = 3
SHORT: Final = 300
#: The slug of a workstream and the key of a step.
Named = tuple[str, str]


def wanted_work(workstream: str, repository: str) -> Wanted:
    """What the words of a call ask for; a workstream or repository that nobody knows is refused."""
    found = _named(workstream.strip()) if workstream.strip() else None
    repository = repository.strip()
    if repository and not WorkflowVersion.objects.filter(repository=repository).exists():
        raise InvalidInput(
            f"No plan works on the repository {repository!r}.",
            recovery="Leave it out, or name a repository as a plan does.",
            field="repository",
        )
    return Wanted(found, repository)


def _named(name: str) -> Workstream:
    try:
        return find_workstream(UUID(name))
    except ValueError:
        return find_workstream_by_slug(name)


def next_told(
    *, executor: Executor, actor: Actor, wanted: Wanted, seconds: int, clock: Callable[[], datetime]
) -> NextFacts:
    """`claim_next`, told. What a round launches while it is looked up what is in the way is claimed rather
    than told of."""
    step = claim_next(executor=executor, actor=actor, wanted=wanted, seconds=seconds, clock=clock)
    facts = next_facts(step, executor, wanted, clock())
    if facts.claim or step.crowded or step.verifying or not free_attempts(executor, wanted).exists():
        return facts
    step = claim_next(executor=executor, actor=actor, wanted=wanted, seconds=0, clock=clock)
    return next_facts(step, executor, wanted, clock())


def next_facts(step: NextStep, asker: Executor, wanted: Wanted, now: datetime) -> NextFacts:
    if step.assignment is not None:
        claim = claim_facts(step.assignment)
        already = " already" if step.again else ""
        said = f"You hold {claim.attempt.key} of {claim.brief.task.workstream_slug}{already}."
        return NextFacts(said, claim, step.again, 0, ())
    if step.crowded:
        said = f"Too many wait for work here already. Ask again in {RETRY_SECONDS} seconds."
        return NextFacts(said, None, False, RETRY_SECONDS, ())
    if step.verifying is not None:
        return _being_verified(step.verifying)
    others = tuple(_for_others(asker, wanted))
    waiting = (*others, *_workstreams(wanted, now, {(one.workstream, one.key) for one in others}))
    said = f"Nothing can be claimed by {asker.name} now."
    if not waiting:
        said += " No workstream of that kind is open." if wanted != Wanted() else " No workstream is open."
    return NextFacts(said, None, False, RETRY_SECONDS, waiting)


def _being_verified(row: Verification) -> NextFacts:
    task = row.attempt.task
    said = f"{task.step.key} is being verified by {row.command}: it counts when that is green."
    waiting = WaitingWork(
        workstream=task.workstream.slug,
        key=task.step.key,
        sentence=said,
        freed_by=(),
        to_do="Ask again: red gives it back to you, with what the run showed.",
        address=reverse("task", args=[task.workstream.uuid, task.step.key]),
    )
    return NextFacts(said, None, False, RETRY_SECONDS, (waiting,))


def _for_others(executor: Executor, wanted: Wanted) -> Iterator[WaitingWork]:
    """Steps that are queued, and not for this executor."""
    rows = waiting_attempts().exclude(pk__in=free_attempts(executor, Wanted()).order_by().values("pk"))
    if wanted.workstream is not None:
        rows = rows.filter(task__workstream=wanted.workstream)
    if wanted.repository:
        rows = rows.filter(task__workstream__version__repository=wanted.repository)
    rows = rows.select_related("task__workstream", "task__step__thread__batch__stage")
    for attempt in rows.order_by(*rank("task__workstream__"), "pk")[:FEW]:
        yield _for_another(attempt, executor)


def _for_another(attempt: Attempt, executor: Executor) -> WaitingWork:
    task, step = attempt.task, attempt.task.step
    doers = doers_of(step)
    freed_by, to_do = tuple(str(role) for role in sorted(doers)), "Somebody else claims it."
    if doers.isdisjoint(roles_of(executor.user)):
        said = f"needs the role {' or '.join(sorted(doers))}"
    elif not suits(executor.kind, step.tool):
        said = f"is done by the tool {step.tool}"
    elif (sole := sole_executor(task.workstream, step.thread)) and sole != executor:
        said, freed_by = f"is kept for {sole.label}", (sole.name,)
    else:
        said, to_do = "is offered to another executor first, or held up by a lost file", "Look at its page."
    return WaitingWork(
        workstream=task.workstream.slug,
        key=step.key,
        sentence=f"{step.key} {said}.",
        freed_by=freed_by,
        to_do=to_do,
        address=reverse("task", args=[task.workstream.uuid, step.key]),
    )


def _workstreams(wanted: Wanted, now: datetime, told: set[Named]) -> Iterator[WaitingWork]:
    """Why the first of the open workstreams do not go on; those under way before those that are planned."""
    rows = Workstream.objects.filter(status__in=OPEN_WORKSTREAM).exclude(
        open_tasks=0, status=WorkstreamStatus.ACTIVE
    )
    if wanted.workstream is not None:
        rows = rows.filter(pk=wanted.workstream.pk)
    if wanted.repository:
        rows = rows.filter(version__repository=wanted.repository)
    rows = rows.select_related("version__workflow").defer("version__source")
    for workstream in rows.order_by("status", *rank(""))[:FEW]:
        for why in _in_the_way(workstream, now, told):
            yield _waiting(why)


def _in_the_way(workstream: Workstream, now: datetime, told: set[Named]) -> Iterator[WhyFacts]:
    """The steps that wait for what another one holds, then what the workstream waits for; nothing that is
    `told` already, by workstream and key."""
    known = explained(workstream, now)
    standing = known.standing()
    contending = [one.key for one in standing.verdicts.values() if one.reason is Reason.RESOURCE]
    for key in contending[:FEW]:
        why = why_task(workstream, key, now, known)
        told |= {(why.workstream, key), (why.root.workstream, why.root.key)}
        yield why
    why = why_workstream(workstream, now, known)
    if (why.root.workstream, why.root.key) not in told:
        yield why
        return
    slug = workstream.slug
    rest = most_urgent(one for one in front(standing) if (slug, one.order.key) not in told)
    if rest is not None:
        yield why_task(workstream, rest.order.key, now, known)


def _waiting(why: WhyFacts) -> WaitingWork:
    return WaitingWork(
        workstream=why.workstream,
        key=why.key,
        sentence=why.sentence[:SHORT],
        freed_by=why.root.people or why.root.freed_by,
        to_do=why.root.to_do,
        address=why.root.address,
    )
