"""What a plan needs of other workstreams: judged when it is submitted, kept in rows for the
scheduler (AD-3).
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.workstream_needs import circle_through
from orchestrator.core.errors import PlanHasBlockers, WrongState
from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Bundle, Workstream, WorkstreamNeed
from orchestrator.queries.engine.needs import edges, needed_by_name, needing
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import lock_needs
from orchestrator.services.base.wake import wake


def need_findings(
    plan: Plan,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> list[Finding]:
    """What is wrong with `needs`, with its line: unknown or archived workstreams, a circle.

    `workstream` is the one the plan is for, `members` are names that the rest of its bundle will go by.
    """
    wanted = [name for name in plan.needs if name not in members]
    found = needed_by_name(wanted, bundle or (workstream.bundle if workstream else None))
    held = set(workstream.needs.values_list("needed_id", flat=True)) if workstream else set()
    judged = [_judged(name, found.get(name), held) for name in wanted]
    problems = [problem for problem in judged if problem]
    if not problems and workstream and (circle := _circle(workstream, found.values())):
        problems = [
            (
                "workstream-cycle",
                f"Workstreams need one another in a circle: {circle}.",
                "Take one need away.",
            )
        ]
    return [finding(code, plan.needs_line, message, fix) for code, message, fix in problems]


def with_needs(
    reading: Reading,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> Reading:
    """A reading with the findings about its needs; reads the database only when the plan has any."""
    if reading.plan is None or not reading.plan.needs:
        return reading
    found = need_findings(reading.plan, workstream, bundle, members)
    return replace(reading, findings=sort_findings([*reading.findings, *found]))


def _judged(name: str, found: Workstream | None, held: set[int]) -> tuple[str, str, str] | None:
    if found is None:
        message = f"The plan needs “{name[:80]}”, which is no workstream."
        return (
            "unknown-workstream",
            message,
            "Write the slug of a workstream, or submit both plans as one bundle.",
        )
    if found.status == WorkstreamStatus.ARCHIVED and found.pk not in held:
        message = f"The plan needs “{name[:80]}”, which is archived and will never be completed."
        return (
            "unknown-workstream",
            message,
            "Take the need away, or name the workstream that does the work instead.",
        )
    return None


def _circle(workstream: Workstream, needed: Collection[Workstream]) -> str:
    graph = edges(without=workstream) | {workstream.slug: {one.slug for one in needed}}
    return " → ".join(circle_through(workstream.slug, graph))


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
    if circle := _circle(workstream, found.values()):
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
    graph = {
        name: {into.slug if one == closed.slug else one for one in needs} for name, needs in edges().items()
    }
    graph[into.slug] = graph.get(into.slug, set()) - {into.slug}
    graph.pop(closed.slug, None)
    if circle := circle_through(into.slug, graph):
        raise WrongState(
            f"Merging makes workstreams need one another in a circle: {' → '.join(circle)}.",
            recovery="Submit a version of one of them without the need first, or link the two instead.",
        )
    for one in needing(closed):
        needs = WorkstreamNeed.objects.filter(workstream=one).select_related("needed")
        wanted = {need.needed for need in needs if need.needed_id not in {closed.pk, one.pk}} | (
            {into} - {one}
        )
        _replace(one, wanted, actor, now)


def wake_needing(workstream: Workstream) -> None:
    """What needs this workstream is looked at again: its sentence changes, or it may start."""
    for one in needing(workstream):
        wake(one.pk)
