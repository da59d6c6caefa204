"""Bundles: many plans submitted as one, all or nothing; they may need one another (AD-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.workstream_needs import circle_through, in_order
from orchestrator.core.errors import BundleRejected, InvalidInput
from orchestrator.core.findings import Finding
from orchestrator.core.limits import BUNDLE_PLANS
from orchestrator.core.people.roles import SUBMITTERS
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format, Scope
from orchestrator.models import Bundle, WorkflowVersion
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.needs import stem_of
from orchestrator.queries.plans.readings import checked, turn_to_read
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.plans.plans import (
    Submission,
    submission_of,
    submit_plan,
    unschedulable,
    way_out_of,
)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan with the name of the file it came in; the other plans of a bundle may need it by that name.

    Its format is told from the content unless one is wanted. With `adopt`, approval takes over the state it
    tells; with `leave_needs`, its reviewer drops the dependencies that cannot hold.
    """

    name: str
    source: bytes
    wanted: Format | None = None
    adopt: bool = False
    leave_needs: bool = False


@dataclass(frozen=True, slots=True)
class BundleSubmission:
    """The bundle and what became of each file, in the order of submission.

    Behind what it needs, then by name.
    """

    bundle: Bundle
    members: dict[str, Submission]


@act(
    roles=SUBMITTERS,
    scope=Scope.MANAGE,
    locks=(Lock.NAMES, Lock.NEEDS),
    records=(Action.BUNDLE_SUBMITTED,),
    plain=("files",),
)
def submit_bundle(*, name: str, files: Sequence[PlanFile], actor: Actor, now: datetime) -> BundleSubmission:
    """Register every plan as a workstream of its own, in one transaction.

    `needs` in a plan may name other members by title as a slug or by file without its ending, or any
    workstream by its slug. BundleRejected with the findings of every file when one of them cannot be taken;
    nothing is stored then.
    """
    if not name.strip():
        raise InvalidInput("The bundle needs a name.", field="name")
    by_name = _by_name(files)
    with turn_to_read(sum(len(file.source) for file in files)):
        readings = {name: checked(file.source, file.wanted, name) for name, file in by_name.items()}
    aliases = _aliases(readings)
    readings = {name: judged(reading, members=aliases) for name, reading in readings.items()}
    graph = {name: _needed(reading, aliases) for name, reading in readings.items()}
    _refuse_unschedulable(_with_circles(readings, graph), by_name)
    with unit_of_work():
        bundle = Bundle.objects.create(
            name=name.strip()[:200], submitted_by=actor.account, submitted_as=actor.label, submitted_at=now
        )
        members = {
            one: submit_plan(
                source=by_name[one].source,
                source_name=one,
                actor=actor,
                now=now,
                bundle=bundle,
                wanted=by_name[one].wanted,
                adopt=by_name[one].adopt,
                leave_needs=by_name[one].leave_needs,
            )
            for one in in_order(graph)
        }
        record(
            workstream=None,
            actor=actor,
            action=Action.BUNDLE_SUBMITTED,
            subject=bundle.name,
            now=now,
            data={
                "bundle": bundle.pk,
                "members": {one: done.workstream.slug for one, done in members.items()},
            },
        )
    return BundleSubmission(bundle, members)


def members_of(bundle_id: int) -> dict[str, Submission]:
    """What became of each file of a bundle, by its name, in the order of submission."""
    first = WorkflowVersion.objects.filter(workstream__bundle=bundle_id, number=1).order_by("pk")
    return {name: submission_of(pk) for name, pk in first.values_list("source_name", "pk")}


def _by_name(files: Sequence[PlanFile]) -> dict[str, PlanFile]:
    """The files by name, sorted; refuses none, too many, and two that others could not tell apart."""
    if not files:
        raise InvalidInput(
            "There is no plan in the bundle.", recovery="Choose at least one file.", field="files"
        )
    if len(files) > BUNDLE_PLANS:
        raise InvalidInput(f"A bundle has at most {BUNDLE_PLANS} plans, not {len(files)}.", field="files")
    stems: dict[str, str] = {}
    for file in files:
        if (stem := stem_of(file.name)) in stems:
            raise InvalidInput(f"{stems[stem]} and {file.name} go by the same name, {stem!r}.", field="files")
        stems[stem] = file.name
    return {file.name: file for file in sorted(files, key=lambda file: file.name)}


def _aliases(readings: dict[str, Reading]) -> dict[str, str]:
    """What a member may be called -> its file; a title counts before a file's name."""
    titles: dict[str, str] = {}
    for name, reading in readings.items():
        slug = reading.plan.slug if reading.plan else ""
        if slug in titles:
            raise InvalidInput(f"The plans in {titles[slug]} and {name} have the same title.", field="files")
        if slug:
            titles[slug] = name
    return {stem_of(name): name for name in readings} | titles


def _needed(reading: Reading, aliases: dict[str, str]) -> set[str]:
    """The files of the bundle that a plan needs."""
    return {aliases[need] for need in reading.plan.needs if need in aliases} if reading.plan else set()


def _with_circles(readings: dict[str, Reading], graph: dict[str, set[str]]) -> dict[str, Reading]:
    found = {}
    for name, reading in readings.items():
        if (circle := circle_through(name, graph)) and reading.plan:
            message = f"Plans of the bundle need one another in a circle: {' → '.join(circle)}."
            problem = finding(
                "workstream-cycle", reading.plan.needs_line, message, "Take one of the needs away."
            )
            reading = replace(reading, findings=sort_findings([*reading.findings, problem]))
        found[name] = reading
    return found


def _refuse_unschedulable(readings: dict[str, Reading], files: Mapping[str, PlanFile]) -> None:
    """Open questions are for the reviewer; everything else that blocks keeps the whole bundle out."""
    wrong: dict[str, Sequence[Finding]] = {}
    for name, reading in readings.items():
        stopped = unschedulable(reading, leave_needs=files[name].leave_needs)
        wrong[name] = stopped if reading.plan else reading.findings
    if any(wrong.values()):
        raise BundleRejected(wrong, way_out_of([found for findings in wrong.values() for found in findings]))
