"""What a plan needs of other workstreams, kept in rows for the scheduler (AD-3)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.workstream_needs import circle_through
from orchestrator.core.errors import PlanHasBlockers, WrongState
from orchestrator.core.plans.plan import Plan
from orchestrator.models import Workstream, WorkstreamNeed
from orchestrator.queries.engine.needs import needing
from orchestrator.queries.plans.needs import circle_of_needs, edges, needed_by_name
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import lock_needs
from orchestrator.services.base.wake import wake


def relate_needs(*, workstream: Workstream, plan: Plan, actor: Actor, now: datetime) -> None:
    """Bring the needs of a locked workstream in line with the plan that is or becomes effective.

    PlanHasBlockers when a name is unknown by now or the needs form a circle. Takes the lock of all needs, so
    that two plans cannot close a circle side by side. Needs that are gone stay as dropped rows.
    """
    lock_needs()
    found = needed_by_name(plan.needs, workstream.bundle)
    if unknown := [name for name in plan.needs if name not in found]:
        raise PlanHasBlockers(
            f"Line {plan.needs_line}: “{unknown[0][:80]}” is no workstream.", line=plan.needs_line
        )
    if circle := circle_of_needs(workstream, found.values()):
        message = f"Line {plan.needs_line}: workstreams need one another in a circle: {circle}."
        raise PlanHasBlockers(message, line=plan.needs_line)
    _replace(workstream, set(found.values()), actor, now)


def _replace(workstream: Workstream, wanted: set[Workstream], actor: Actor, now: datetime) -> None:
    current = {need.needed_id for need in WorkstreamNeed.objects.filter(workstream=workstream)}
    if current == {one.pk for one in wanted}:
        return
    rows = WorkstreamNeed.ever.filter(workstream=workstream)
    rows.filter(dropped_at=None).exclude(needed__in=wanted).update(dropped_at=now)
    rows.filter(needed__in=wanted).update(dropped_at=None)
    there = set(rows.values_list("needed_id", flat=True))
    WorkstreamNeed.ever.bulk_create(
        WorkstreamNeed(workstream=workstream, needed=one)
        for one in sorted(wanted, key=lambda one: one.pk)
        if one.pk not in there
    )
    slugs = sorted(one.slug for one in wanted)
    record(
        workstream=workstream,
        actor=actor,
        action=Action.NEEDS_CHANGED,
        subject=", ".join(slugs) or "no other workstream",
        now=now,
        data={"needs": slugs},
    )


def hand_over_needs(*, closed: Workstream, into: Workstream, actor: Actor, now: datetime) -> None:
    """What needed a workstream that is merged needs the one it goes on in; both rows are locked.

    WrongState when that would make a circle; the others' rows change behind the lock of all needs.
    """
    lock_needs()
    graph = edges()
    for needs in graph.values():
        if closed.slug in needs:
            needs.remove(closed.slug)
            needs.add(into.slug)
    graph[into.slug] = graph.get(into.slug, set()) - {into.slug}
    graph.pop(closed.slug, None)
    if circle := circle_through(into.slug, graph):
        raise WrongState(
            f"Merging makes workstreams need one another in a circle: {' → '.join(circle)}.",
            recovery="Submit a version of one of them without the need first, or link the two instead.",
        )
    for waiting in needing(closed):
        rows = WorkstreamNeed.objects.filter(workstream=waiting).select_related("needed")
        wanted = {row.needed for row in rows} | {into}
        _replace(waiting, wanted - {closed, waiting}, actor, now)


def wake_needing(workstream: Workstream) -> None:
    """What needs this workstream is looked at again: its sentence changes, or it may start."""
    for dependent in needing(workstream):
        wake(dependent.pk)
